#pragma once

#include <napi.h>

namespace limiquantix {

/// bareRead(device, bytes), bareWrite(device, bytes): block until so many bytes have been moved.
/// handleCount(): the handles that this process has open.
void RegisterBare(Napi::Env env, Napi::Object exports);

}  // namespace limiquantix
