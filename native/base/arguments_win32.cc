#include "base/arguments_win32.h"

#include <windows.h>

namespace limiquantix {

static_assert(sizeof(wchar_t) == sizeof(char16_t));

bool ReadText(const Napi::Value& value, size_t longest, std::wstring* text) {
  if (!value.IsString()) return false;
  size_t length = 0;
  if (napi_get_value_string_utf16(value.Env(), value, nullptr, 0, &length) != napi_ok) return false;
  if (length > longest) return false;
  text->resize(length + 1);  // the function ends it with a NUL
  const napi_status status = napi_get_value_string_utf16(
      value.Env(), value, reinterpret_cast<char16_t*>(text->data()), text->size(), &length);
  if (status != napi_ok) return false;
  text->resize(length);
  return text->find(L'\0') == std::wstring::npos;
}

Napi::Value WrongArguments(Napi::Env env, const char* wanted) {
  Napi::TypeError::New(env, std::string(wanted) + " is needed").ThrowAsJavaScriptException();
  return env.Undefined();
}

}  // namespace limiquantix
