#pragma once

#include <napi.h>

namespace limiquantix {

/// src/native/service.ts describes what they export. Windows only.
void RegisterServices(Napi::Env env, Napi::Object exports);     // installService, queryService, ...
void RegisterServiceHost(Napi::Env env, Napi::Object exports);  // runService, serviceRunning, ...
void RegisterEventLog(Napi::Env env, Napi::Object exports);     // reportEvent, setEventSource, ...
void RegisterRegistry(Napi::Env env, Napi::Object exports);     // readRegistry
void RegisterFolderOfService(Napi::Env env, Napi::Object exports);  // protectFolder

}  // namespace limiquantix
