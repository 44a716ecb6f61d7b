#pragma once

#include <napi.h>

namespace limiquantix {

/// Exports openPty(); src/native/process.ts describes it.
void RegisterPty(Napi::Env env, Napi::Object exports);

}  // namespace limiquantix
