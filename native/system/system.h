#pragma once

#include <napi.h>

namespace limiquantix {

/// src/native/clock.ts describes what they export.
void RegisterClock(Napi::Env env, Napi::Object exports);  // clockNow, stepClock, slewClock, ...
void RegisterClockDevices(Napi::Env env, Napi::Object exports);  // comparePtpClock, setRtc

}  // namespace limiquantix
