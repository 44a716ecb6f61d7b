#include "base/napi_error.h"

#include <uv.h>

namespace limiquantix {

Napi::Error NodeError(Napi::Env env, const SysError& error, const std::string& path) {
  char code[32];
  char reason[128];
  uv_err_name_r(-error.code, code, sizeof code);
  uv_strerror_r(-error.code, reason, sizeof reason);
  std::string message = std::string(code) + ": " + reason + ", " + error.syscall;
  if (!path.empty()) message += " '" + path + "'";

  Napi::Error result = Napi::Error::New(env, message);
  result.Set("errno", Napi::Number::New(env, -error.code));
  result.Set("code", Napi::String::New(env, code));
  result.Set("syscall", Napi::String::New(env, error.syscall));
  if (!path.empty()) result.Set("path", Napi::String::New(env, path));
  return result;
}

}  // namespace limiquantix
