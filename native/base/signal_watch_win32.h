#pragma once

#include <windows.h>

#include <memory>

#include "base/wake.h"

namespace limiquantix {

/// Sends a wake each time that a handle is signaled, or the first time only. Windows' own wait
/// threads do the waiting, 63 handles each.
class SignalWatch {
 public:
  SignalWatch() = default;
  ~SignalWatch() { Stop(); }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// The handle must stay open until Stop. Returns 0 or what GetLastError() said.
  DWORD Start(HANDLE handle, std::shared_ptr<Wake> wake, bool once);

  /// Idempotent. Nothing is sent afterwards; waits for a Send that is under way, and for nothing
  /// else.
  void Stop();

 private:
  std::shared_ptr<Wake> wake_;
  HANDLE wait_ = nullptr;
};

}  // namespace limiquantix
