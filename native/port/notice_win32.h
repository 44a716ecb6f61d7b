#pragma once

#include <windows.h>

#include <functional>
#include <memory>

#include "port/device_win32.h"

namespace limiquantix {

/// Has the system tell what happens to devices, for as long as it lives. Its end waits for calls
/// that are under way, so it must not come from one of them, or with what they wait for.
class Notice {
 public:
  /// What happens to an open virtio port. Null where the system does not tell. A removal is held up
  /// until the call comes back: the device cannot be removed while somebody has it open.
  static std::unique_ptr<Notice> OfHandle(HANDLE handle, std::function<void(DeviceEvent)> on_event);
  /// A virtio port appears or is gone.
  static std::unique_ptr<Notice> OfPorts(std::function<void()> on_change);
  virtual ~Notice() = default;
};

}  // namespace limiquantix
