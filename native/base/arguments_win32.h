#pragma once

#include <napi.h>

#include <string>

namespace limiquantix {

/// What must be a string without NUL, of at most so many UTF-16 units. False otherwise.
bool ReadText(const Napi::Value& value, size_t longest, std::wstring* text);

/// Has a TypeError pending: `wanted` is what is needed. Gives undefined.
Napi::Value WrongArguments(Napi::Env env, const char* wanted);

}  // namespace limiquantix
