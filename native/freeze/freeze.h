#pragma once

#include <napi.h>

namespace limiquantix {

/// src/native/freeze.ts describes what they export.
void RegisterFreeze(Napi::Env env, Napi::Object exports);  // freezeFs, thawFs, trimFs
void RegisterGuard(Napi::Env env, Napi::Object exports);   // guardFreeze

}  // namespace limiquantix
