#pragma once

#include <napi.h>

namespace limiquantix {

/// src/native/notify.ts describes what it exports. Linux only.
void RegisterNotify(Napi::Env env, Napi::Object exports);

}  // namespace limiquantix
