#pragma once

#include <napi.h>

namespace limiquantix {

/// Exports the classes Port, Listener and, on Windows, PortWatch; src/native/port.ts describes
/// them.
void RegisterPort(Napi::Env env, Napi::Object exports);
void RegisterListener(Napi::Env env, Napi::Object exports);
void RegisterPortWatch(Napi::Env env, Napi::Object exports);

}  // namespace limiquantix
