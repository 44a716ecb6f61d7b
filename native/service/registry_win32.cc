#include <windows.h>

#include <cstdint>
#include <string>

#include "base/error_win32.h"
#include "base/napi_error.h"
#include "base/wide_win32.h"
#include "service/service.h"
#include "service/text_argument_win32.h"

namespace limiquantix {
namespace {

constexpr size_t kLongestKey = 1024;
constexpr DWORD kLongestValue = 4 * 1024;  // in characters

/// No value, or of a type that is of no use here, or longer than any that is.
bool IsNone(LSTATUS error) {
  return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND ||
         error == ERROR_UNSUPPORTED_TYPE || error == ERROR_MORE_DATA;
}

/// readRegistry(key, name): of HKEY_LOCAL_MACHINE; a string, a number, or undefined.
Napi::Value Read(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::wstring key, name;
  if (!ReadText(info[0], kLongestKey, "a key", &key) ||
      !ReadText(info[1], kLongestKey, "a name", &name)) {
    return env.Undefined();
  }
  std::wstring text(kLongestValue, L'\0');
  DWORD bytes = kLongestValue * sizeof(wchar_t);
  DWORD type = 0;
  const DWORD flags = RRF_RT_REG_SZ | RRF_RT_REG_EXPAND_SZ | RRF_RT_REG_DWORD | RRF_NOEXPAND;
  const LSTATUS error = RegGetValueW(HKEY_LOCAL_MACHINE, key.c_str(), name.c_str(), flags, &type,
                                     text.data(), &bytes);
  if (IsNone(error)) return env.Undefined();
  if (error != ERROR_SUCCESS) {
    NodeError(env, WindowsError(static_cast<DWORD>(error), "RegGetValue"))
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  if (type == REG_DWORD) {
    uint32_t number = 0;
    CopyMemory(&number, text.data(), sizeof number);
    return Napi::Number::New(env, number);
  }
  return Napi::String::New(env, Utf8(text.c_str()));
}

}  // namespace

void RegisterRegistry(Napi::Env env, Napi::Object exports) {
  exports.Set("readRegistry", Napi::Function::New<Read>(env, "readRegistry"));
}

}  // namespace limiquantix
