#pragma once

#include "base/error_win32.h"
#include "base/unique_handle_win32.h"

namespace limiquantix {

/// A privilege of the agent's, such as SE_SHUTDOWN_NAME, for as long as this lives. The process
/// has it, since the servers behind the calls look there; two at the same time must not be the
/// same.
class Privilege {
 public:
  explicit Privilege(const wchar_t* name) : error_(Enable(name)) {}
  ~Privilege();
  Privilege(const Privilege&) = delete;
  Privilege& operator=(const Privilege&) = delete;

  /// Why the agent does not have it; ERROR_PRIVILEGE_NOT_HELD where its user has not.
  /// ERROR_NOT_SUPPORTED under Wine, where clock and power are those of the machine below, and
  /// nobody who asks the agent means that.
  const SysError& error() const { return error_; }

 private:
  SysError Enable(const wchar_t* name);

  UniqueHandle token_;
  TOKEN_PRIVILEGES before_{};  // nothing when the privilege was enabled already
  SysError error_;
};

/// ERROR_NOT_SUPPORTED under Wine, otherwise no error.
SysError RefusedByWine(const char* call);

}  // namespace limiquantix
