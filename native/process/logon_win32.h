#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_handle_win32.h"

namespace limiquantix {

/// A primary token of an account ("DOMAIN\name"), without its password: of a session in which it is
/// logged on, or else of a logon of its own (S4U). Needs SeTcbPrivilege, which LocalSystem has.
/// Blocks on the domain's servers.
Result<UniqueHandle> LogOn(const std::wstring& account);

}  // namespace limiquantix
