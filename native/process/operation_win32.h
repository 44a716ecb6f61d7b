#pragma once

#include <windows.h>

#include <memory>
#include <vector>

#include "base/result.h"
#include "base/signal_watch_win32.h"
#include "base/unique_handle_win32.h"

namespace limiquantix {

/// One overlapped call on a pipe, again and again: its memory, and who is told when it is done.
/// JS thread only.
class Operation {
 public:
  /// `wake` is sent when a call has ended, also one that ended at once.
  static Result<std::unique_ptr<Operation>> Create(std::shared_ptr<Wake> wake);

  /// Waits, without a byte taken, until there is something to read or nobody writes any more.
  /// Returns false when it could not begin: see GetLastError().
  bool StartWaiting(HANDLE pipe);

  /// Writes a copy of the bytes. Returns as StartWaiting.
  bool StartWriting(HANDLE pipe, std::vector<char> bytes);

  /// Started, and End() has not been called.
  bool started() const { return started_; }
  bool done() const { return started_ && HasOverlappedIoCompleted(&overlapped_); }
  size_t bytes() const { return bytes_.size(); }

  /// Of one that is done: 0 or the Windows error.
  DWORD End();

  /// Gives it up: what is not done is cancelled. Nothing is sent afterwards. The pipe is still
  /// open.
  static void Abandon(std::unique_ptr<Operation> operation, HANDLE pipe);

 private:
  Operation() = default;
  bool Started(HANDLE pipe, BOOL ended);

  OVERLAPPED overlapped_{};
  UniqueHandle event_;
  std::vector<char> bytes_;
  SignalWatch watch_;
  HANDLE pipe_ = nullptr;
  bool started_ = false;
};

}  // namespace limiquantix
