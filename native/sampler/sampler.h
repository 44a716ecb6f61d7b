#pragma once

#include <napi.h>

namespace limiquantix {

/// Exports the class Sampler; src/native/sampler.ts describes it.
void RegisterSampler(Napi::Env env, Napi::Object exports);

}  // namespace limiquantix
