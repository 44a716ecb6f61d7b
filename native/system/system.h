#pragma once

#include <napi.h>

namespace limiquantix {

/// src/native/clock.ts describes what they export.
void RegisterClock(Napi::Env env, Napi::Object exports);  // clockNow, stepClock, slewClock, ...
void RegisterClockDevices(Napi::Env env, Napi::Object exports);  // comparePtpClock, setRtc

/// For Linux; src/cli/launch.ts uses it.
void RegisterProgramText(Napi::Env env, Napi::Object exports);  // programText

/// For Windows; src/native/windows.ts describes it.
void RegisterBoot(Napi::Env env, Napi::Object exports);        // bootId, isServiceRunning
void RegisterPower(Napi::Env env, Napi::Object exports);       // shutdownSystem, tellSessions
void RegisterLocalUsers(Napi::Env env, Napi::Object exports);  // findLocalUser, setUserPassword
void RegisterAdapters(Napi::Env env, Napi::Object exports);    // networkAdapters

}  // namespace limiquantix
