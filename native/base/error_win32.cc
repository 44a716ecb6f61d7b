#include "base/error_win32.h"

#include <uv.h>

namespace limiquantix {

SysError WindowsError(DWORD code, const char* call) {
  return SysError{-uv_translate_sys_error(static_cast<int>(code)), call, code};
}

}  // namespace limiquantix
