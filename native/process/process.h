#pragma once

#include <napi.h>

namespace limiquantix {

/// src/native/process.ts describes what they export.
void RegisterCore(Napi::Env env, Napi::Object exports);   // forbidCoreDumps
void RegisterPty(Napi::Env env, Napi::Object exports);    // openPty
void RegisterSpawn(Napi::Env env, Napi::Object exports);  // spawn
void RegisterUsers(Napi::Env env, Napi::Object exports);  // lookupUser, lookupGroup
// Windows:
void RegisterStreams(Napi::Env env, Napi::Object exports);      // openStream, closeStream
void RegisterEnvironment(Napi::Env env, Napi::Object exports);  // readEnvironment
void RegisterConsole(Napi::Env env, Napi::Object exports);      // signalConsole, decodeOem
void RegisterAccounts(Napi::Env env, Napi::Object exports);     // lookupAccount

}  // namespace limiquantix
