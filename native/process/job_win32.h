#pragma once

#include <windows.h>

#include "base/result.h"
#include "base/unique_handle_win32.h"

namespace limiquantix {

/// A command with all that it starts: nothing that it starts can leave.
class Job {
 public:
  /// Unless it `outlives` this process, all in it are ended when this process ends, however it
  /// does.
  static Result<Job> Create(bool outlives);

  HANDLE handle() const { return handle_.get(); }
  explicit operator bool() const { return static_cast<bool>(handle_); }

  /// Ends all in it. Returns 0 or the Windows error.
  DWORD Kill(UINT exit_code) const;

  /// Those in it that have not ended, or 0 when it is closed.
  DWORD Members() const;

  /// Gives it up; what runs in it goes on.
  void Close();

 private:
  UniqueHandle handle_;
};

}  // namespace limiquantix
