#pragma once

#include <uv.h>
#include <windows.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "port/device_win32.h"

namespace limiquantix {

/// What a test may look at.
struct DriverCounts {
  int reads = 0, writes = 0, queries = 0;
  int most_reads = 0, most_writes = 0;  ///< at once
  int refused_reads = 0, refused_writes = 0;
  int cancelled = 0;
  size_t largest_write = 0;
};

/// How the driver of virtio ports (virtio-win, vioserial) behaves, and the host's end.
///
/// Reading waits for bytes while a host is there, gives at most 4 KiB, and is refused with 1450
/// without one; one that waits goes on waiting when the host goes, and gets the next one's bytes.
/// Writing is refused with 554 without a host or when the queue is full, with 1450 when the piece
/// is too large, and is over when the host has taken it: before that nothing ends it. The state is
/// told at any time, and its changes as they are when they are told.
class FakeDriver : public std::enable_shared_from_this<FakeDriver> {
 public:
  FakeDriver();
  ~FakeDriver();

  std::unique_ptr<Device> Open();

  // The host's end.

  void Connect(bool tell);
  void Disconnect(bool tell);
  /// Goes, and another comes at once: the driver tells twice that there is one.
  void Replace();
  void Send(std::string bytes);
  /// All that has been written; what is under way is over then.
  std::string Receive();
  void Unplug();

  // How it is to behave.

  bool tells = true;              ///< of hosts that come and go
  bool queue_full = false;        ///< writes are refused
  size_t name_bytes = 24;         ///< 234 for who has no room for it
  size_t refuse_above = 1 << 30;  ///< 1450 for larger writes

  DriverCounts Counts();
  bool IsOpen();
  bool IsWriting();

 private:
  friend class FakeDevice;
  struct Call {
    OVERLAPPED* overlapped = nullptr;
    void* buffer = nullptr;
    DWORD bytes = 0;
  };

  DWORD Read(void* buffer, DWORD bytes, OVERLAPPED* overlapped);
  DWORD Write(const void* buffer, DWORD bytes, OVERLAPPED* overlapped);
  DWORD Query(void* buffer, DWORD bytes, OVERLAPPED* overlapped);
  void Cancel(OVERLAPPED* overlapped);
  void Closed();
  void Complete(OVERLAPPED* overlapped, DWORD error, DWORD bytes);
  void Tell(DeviceEvent event, int times);
  DWORD Take(void* buffer, DWORD bytes);

  uv_mutex_t mutex_;
  HANDLE completion_port_ = nullptr;
  std::function<void(DeviceEvent)> on_event_;
  std::deque<std::string> to_guest_;
  std::string to_host_, written_;
  Call read_, write_;
  bool host_ = false, plugged_ = true, open_ = false;
  DriverCounts counts_;
};

}  // namespace limiquantix
