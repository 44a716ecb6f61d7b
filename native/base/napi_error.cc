#include "base/napi_error.h"

#include <uv.h>

#include <cerrno>
#include <cstdio>

namespace limiquantix {
namespace {

struct Name {
  int code;
  const char* name;
  const char* reason;
};

/// Those that system calls made here give and libuv has no name for.
constexpr Name kNames[] = {
    {ENOEXEC, "ENOEXEC", "exec format error"},
#ifdef ESTALE
    {ESTALE, "ESTALE", "stale file handle"},
#endif
#ifdef ELIBBAD
    {ELIBBAD, "ELIBBAD", "accessing a corrupted shared library"},
#endif
};

}  // namespace

Napi::Error NodeError(Napi::Env env, const SysError& error, const std::string& path) {
  char code[32];
  char reason[128];
  uv_err_name_r(-error.code, code, sizeof code);
  uv_strerror_r(-error.code, reason, sizeof reason);
  for (const Name& name : kNames) {
    if (name.code != error.code) continue;
    std::snprintf(code, sizeof code, "%s", name.name);
    std::snprintf(reason, sizeof reason, "%s", name.reason);
  }
#ifdef _WIN32
  // libuv knows the common ones only.
  if (error.windows != 0 && error.code == -UV_UNKNOWN) {
    std::snprintf(reason, sizeof reason, "Windows error %lu", error.windows);
  }
#endif
  std::string message = std::string(code) + ": " + reason + ", " + error.syscall;
  if (!path.empty()) message += " '" + path + "'";

  Napi::Error result = Napi::Error::New(env, message);
  result.Set("errno", Napi::Number::New(env, -error.code));
  result.Set("code", Napi::String::New(env, code));
  result.Set("syscall", Napi::String::New(env, error.syscall));
#ifdef _WIN32
  if (error.windows != 0) {
    result.Set("windowsError", Napi::Number::New(env, static_cast<double>(error.windows)));
  }
#endif
  if (!path.empty()) result.Set("path", Napi::String::New(env, path));
  return result;
}

}  // namespace limiquantix
