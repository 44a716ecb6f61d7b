#pragma once

#include <windows.h>

#include "base/result.h"

namespace limiquantix {

/// A Windows error as libuv maps it to an errno, with the number that Windows gave.
SysError WindowsError(DWORD code, const char* call);

/// The same of GetLastError(). Call it before anything else can change that.
inline SysError LastError(const char* call) { return WindowsError(GetLastError(), call); }

}  // namespace limiquantix
