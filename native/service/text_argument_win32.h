#pragma once

#include <napi.h>

#include <string>

#include "base/wide_win32.h"

namespace limiquantix {

/// A string without NUL, neither empty nor longer than `most_bytes` of UTF-8; or a TypeError that
/// says what is needed is pending.
inline bool ReadText(Napi::Value value, size_t most_bytes, const char* what, std::wstring* text) {
  if (value.IsString()) {
    const std::string utf8 = value.As<Napi::String>().Utf8Value();
    if (!utf8.empty() && utf8.size() <= most_bytes && utf8.find('\0') == std::string::npos) {
      *text = Wide(utf8);
      return true;
    }
  }
  Napi::TypeError::New(value.Env(), std::string(what) + " is needed").ThrowAsJavaScriptException();
  return false;
}

}  // namespace limiquantix
