#pragma once

#include <windows.h>

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace limiquantix {

enum class PortKind { kVirtio, kTerminal, kSocket, kPipe };

/// What happens to a device without having been asked for.
enum class DeviceEvent { kHostConnected, kHostAway, kRemoved };

/// What a Channel does its I/O with: a handle of Windows, or in tests a driver that can be played
/// with. The calls answer at once: ERROR_SUCCESS or ERROR_IO_PENDING when the overlapped will come
/// through the completion port, anything else when it will not.
class Device {
 public:
  /// Gives back what is held. I/O that cannot be cancelled may still come through the port.
  virtual ~Device() = default;

  virtual PortKind kind() const = 0;
  /// Completions go there from now on.
  virtual DWORD Attach(HANDLE completion_port) = 0;
  virtual DWORD Read(void* buffer, DWORD bytes, OVERLAPPED* overlapped) = 0;
  virtual DWORD Write(const void* buffer, DWORD bytes, OVERLAPPED* overlapped) = 0;
  /// The driver's VIRTIO_PORT_INFO; of a virtio port only.
  virtual DWORD Query(void* buffer, DWORD bytes, OVERLAPPED* overlapped) = 0;
  /// What came of one that came through the port.
  virtual DWORD Outcome(OVERLAPPED* overlapped, DWORD* bytes) = 0;
  /// Asks for it to come back soon, which a write need not do.
  virtual void Cancel(OVERLAPPED* overlapped) = 0;
  /// Tells from another thread, until the device is destroyed, what happens to it. False where the
  /// system does not tell.
  virtual bool Watch(std::function<void(DeviceEvent)> on_event) = 0;
};

/// Opens `\\.\...`: a virtio port or a serial line.
Result<std::unique_ptr<Device>> OpenDevice(const std::string& path);

/// Connects to a named pipe.
Result<std::unique_ptr<Device>> ConnectPipe(const std::string& path);

/// Takes over a handle that is made for overlapped I/O.
std::unique_ptr<Device> AdoptHandle(HANDLE handle, PortKind kind);

}  // namespace limiquantix
