#include "files/work_win32.h"

#include <uv.h>

namespace limiquantix {

HANDLE HandleArgument(const Napi::Value& value) {
  if (!value.IsNumber()) return INVALID_HANDLE_VALUE;
  const int fd = value.As<Napi::Number>().Int32Value();
  return fd < 0 ? INVALID_HANDLE_VALUE : uv_get_osfhandle(fd);
}

int ToDescriptor(UniqueHandle handle) {
  const int fd = uv_open_osfhandle(handle.get());
  if (fd >= 0) handle.Release();
  return fd;
}

}  // namespace limiquantix
