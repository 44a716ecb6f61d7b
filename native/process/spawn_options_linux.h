#pragma once

#include <napi.h>

#include "process/spawn_request_linux.h"

namespace limiquantix {

/// Reads SpawnOptions. Returns null or what is wrong with them.
const char* ReadSpawnOptions(const Napi::Value& options, SpawnRequest* request);

/// Whether the value is a user or group id. 4294967295 is none: to the kernel it means "unchanged",
/// that is: root.
bool ReadId(const Napi::Value& value, uid_t* id);

/// Whether the value is a string that C can hold: the kernel would see less of one with a NUL.
bool ReadString(const Napi::Value& value, std::string* string);

}  // namespace limiquantix
