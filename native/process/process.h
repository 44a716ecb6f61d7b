#pragma once

#include <napi.h>

namespace limiquantix {

/// src/native/process.ts describes what they export.
void RegisterCore(Napi::Env env, Napi::Object exports);   // forbidCoreDumps
void RegisterPty(Napi::Env env, Napi::Object exports);    // openPty
void RegisterSpawn(Napi::Env env, Napi::Object exports);  // spawn
void RegisterUsers(Napi::Env env, Napi::Object exports);  // lookupUser, lookupGroup

}  // namespace limiquantix
