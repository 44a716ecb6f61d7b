#pragma once

#include <napi.h>

namespace limiquantix {

/// Exports the classes Port and Listener; src/native/port.ts describes them.
void RegisterPort(Napi::Env env, Napi::Object exports);
void RegisterListener(Napi::Env env, Napi::Object exports);

}  // namespace limiquantix
