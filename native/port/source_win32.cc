#include "port/source_win32.h"

namespace limiquantix {

Result<std::unique_ptr<Device>> OpenSource(Napi::Object source, std::string* path) {
  if (source.Has("fd")) {
    const auto handle = static_cast<intptr_t>(source.Get("fd").ToNumber().Int64Value());
    const bool is_socket = source.Get("kind").ToString().Utf8Value() == "socket";
    return AdoptHandle(reinterpret_cast<HANDLE>(handle),
                       is_socket ? PortKind::kSocket : PortKind::kPipe);
  }
  if (source.Has("socket")) {
    *path = source.Get("socket").ToString().Utf8Value();
    return ConnectPipe(*path);
  }
  *path = source.Get("device").ToString().Utf8Value();
  return OpenDevice(*path);
}

}  // namespace limiquantix
