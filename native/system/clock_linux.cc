#include <sys/timex.h>
#include <time.h>

#include <cerrno>
#include <cmath>

#include "base/napi_error.h"
#include "system/system.h"

namespace limiquantix {
namespace {

/// Not lround(): it is of a library that the shipped binary does not link.
int64_t Nearest(double number) {
  return static_cast<int64_t>(number < 0 ? number - 0.5 : number + 0.5);
}

constexpr double kMicrosPerSecond = 1e6;

Napi::Value ClockNow(const Napi::CallbackInfo& info) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);  // cannot fail
  const double micros =
      static_cast<double>(now.tv_sec) * kMicrosPerSecond + static_cast<double>(now.tv_nsec) / 1000;
  return Napi::Number::New(info.Env(), micros);
}

/// Calls adjtimex(2); false with a pending exception when that fails.
bool Adjust(Napi::Env env, timex* change) {
  if (::adjtimex(change) != -1) return true;
  NodeError(env, SysError{errno, "adjtimex"}).ThrowAsJavaScriptException();
  return false;
}

/// A finite number; otherwise a TypeError is pending.
bool ReadMicros(const Napi::CallbackInfo& info, double* micros) {
  *micros = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : NAN;
  if (std::isfinite(*micros)) return true;
  Napi::TypeError::New(info.Env(), "a number of microseconds is needed")
      .ThrowAsJavaScriptException();
  return false;
}

/// Relative to what the clock is at that moment, so that it does not matter how long this took.
void StepClock(const Napi::CallbackInfo& info) {
  double micros = 0;
  if (!ReadMicros(info, &micros)) return;
  const double seconds = std::floor(micros / kMicrosPerSecond);
  timex change{};
  change.modes = ADJ_SETOFFSET | ADJ_NANO;
  change.time.tv_sec = static_cast<time_t>(seconds);
  const auto nanos = Nearest((micros - seconds * kMicrosPerSecond) * 1000);
  change.time.tv_sec += static_cast<time_t>(nanos / 1'000'000'000);
  change.time.tv_usec = static_cast<suseconds_t>(nanos % 1'000'000'000);
  Adjust(info.Env(), &change);
}

void SlewClock(const Napi::CallbackInfo& info) {
  double micros = 0;
  if (!ReadMicros(info, &micros)) return;
  timex change{};
  change.modes = ADJ_OFFSET_SINGLESHOT;
  change.offset = Nearest(micros);
  Adjust(info.Env(), &change);
}

Napi::Value IsClockSynchronised(const Napi::CallbackInfo& info) {
  timex status{};
  if (!Adjust(info.Env(), &status)) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), (status.status & STA_UNSYNC) == 0);
}

}  // namespace

void RegisterClock(Napi::Env env, Napi::Object exports) {
  exports.Set("clockNow", Napi::Function::New<ClockNow>(env, "clockNow"));
  exports.Set("stepClock", Napi::Function::New<StepClock>(env, "stepClock"));
  exports.Set("slewClock", Napi::Function::New<SlewClock>(env, "slewClock"));
  exports.Set("isClockSynchronised",
              Napi::Function::New<IsClockSynchronised>(env, "isClockSynchronised"));
}

}  // namespace limiquantix
