#pragma once

#include <napi.h>

namespace limiquantix {

/// src/native/addon.ts describes it.
void RegisterExternalText(Napi::Env env, Napi::Object exports);  // externalText

}  // namespace limiquantix
