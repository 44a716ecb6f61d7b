#include <windows.h>

#include <cmath>
#include <memory>

#include "base/arguments_win32.h"
#include "base/privilege_win32.h"
#include "base/thread_call_win32.h"
#include "system/system.h"

namespace limiquantix {
namespace {

constexpr int64_t kTicksPerMillisecond = 10'000;           // of 100 ns
constexpr int64_t kTicksTo1970 = 116'444'736'000'000'000;  // from 1601
constexpr double kPartsPerMillion = 1e6;

int64_t TicksOf(const FILETIME& time) {
  return static_cast<int64_t>(time.dwHighDateTime) << 32 | time.dwLowDateTime;
}

int64_t Now() {
  FILETIME now;
  GetSystemTimePreciseAsFileTime(&now);
  return TicksOf(now);
}

Napi::Value ClockNow(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Now() - kTicksTo1970) / 10);
}

/// Relative to what the clock is at that moment, so that it does not matter how long this took.
class StepCall : public ThreadCall {
 public:
  explicit StepCall(int64_t by_ticks) : by_(by_ticks) {}

 private:
  SysError Run() override {
    const Privilege privilege(SE_SYSTEMTIME_NAME);
    if (privilege.error().code != 0) return privilege.error();
    // A SYSTEMTIME counts milliseconds, so the clock is set when one begins. Nobody else may have
    // set it back meanwhile.
    const int64_t started = Now();
    const int64_t due =
        (started + by_ + kTicksPerMillisecond - 1) / kTicksPerMillisecond * kTicksPerMillisecond;
    int64_t now = started;
    while (now + by_ < due && now >= started) now = Now();
    const FILETIME target{static_cast<DWORD>(due), static_cast<DWORD>(due >> 32)};
    SYSTEMTIME time;
    if (!FileTimeToSystemTime(&target, &time)) return LastError("FileTimeToSystemTime");
    return SetSystemTime(&time) ? kSuccess : LastError("SetSystemTime");
  }

  const int64_t by_;
};

/// A finite number of microseconds, of at most 300 years.
bool ReadMicros(const Napi::Value& value, double* micros) {
  constexpr double kMost = 1e16;
  *micros = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  return std::isfinite(*micros) && std::abs(*micros) <= kMost;
}

/// stepSystemTime(byUs)
Napi::Value StepSystemTime(const Napi::CallbackInfo& info) {
  double micros = 0;
  if (!ReadMicros(info[0], &micros)) {
    return WrongArguments(info.Env(), "a number of microseconds");
  }
  return ThreadCall::Start(info.Env(), std::make_unique<StepCall>(std::llround(micros * 10)));
}

/// The pair that Windows 10 has in kernelbase; the names of the sets it belongs to have changed.
struct Adjustment {
  using Get = BOOL(WINAPI*)(PDWORD64 adjustment, PDWORD64 increment, PBOOL disabled);
  using Set = BOOL(WINAPI*)(DWORD64 adjustment, BOOL disabled);

  Adjustment() {
    const HMODULE library = GetModuleHandleW(L"kernelbase.dll");
    if (library == nullptr) return;
    get = reinterpret_cast<Get>(
        reinterpret_cast<void*>(GetProcAddress(library, "GetSystemTimeAdjustmentPrecise")));
    set = reinterpret_cast<Set>(
        reinterpret_cast<void*>(GetProcAddress(library, "SetSystemTimeAdjustmentPrecise")));
  }

  Get get = nullptr;
  Set set = nullptr;
};

class RateCall : public ThreadCall {
 public:
  explicit RateCall(double parts_per_million) : rate_(parts_per_million) {}

 private:
  SysError Run() override {
    const Adjustment adjustment;
    if (adjustment.get == nullptr || adjustment.set == nullptr) {
      return WindowsError(ERROR_CALL_NOT_IMPLEMENTED, "SetSystemTimeAdjustmentPrecise");
    }
    const Privilege privilege(SE_SYSTEMTIME_NAME);
    if (privilege.error().code != 0) return privilege.error();
    DWORD64 current = 0, increment = 0;
    BOOL disabled = TRUE;
    if (!adjustment.get(&current, &increment, &disabled)) {
      return LastError("GetSystemTimeAdjustmentPrecise");
    }
    const double wanted = static_cast<double>(increment) * (1 + rate_ / kPartsPerMillion);
    const bool done = adjustment.set(static_cast<DWORD64>(std::llround(wanted)), rate_ == 0);
    return done ? kSuccess : LastError("SetSystemTimeAdjustmentPrecise");
  }

  const double rate_;
};

/// setClockRate(partsPerMillion); 0 leaves the clock to Windows
Napi::Value SetClockRate(const Napi::CallbackInfo& info) {
  constexpr double kMost = 1000;
  double rate = 0;
  if (!ReadMicros(info[0], &rate) || std::abs(rate) > kMost) {
    return WrongArguments(info.Env(), "a rate of at most 1000 parts in a million");
  }
  return ThreadCall::Start(info.Env(), std::make_unique<RateCall>(rate));
}

/// clockRate()
Napi::Value ClockRate(const Napi::CallbackInfo& info) {
  const Adjustment adjustment;
  DWORD64 current = 0, increment = 0;
  BOOL disabled = TRUE;
  const bool known =
      adjustment.get != nullptr && adjustment.get(&current, &increment, &disabled) && increment > 0;
  double rate = 0;
  if (known && !disabled) {
    rate = (static_cast<double>(current) / static_cast<double>(increment) - 1) * kPartsPerMillion;
  }
  return Napi::Number::New(info.Env(), rate);
}

}  // namespace

void RegisterClock(Napi::Env env, Napi::Object exports) {
  exports.Set("clockNow", Napi::Function::New<ClockNow>(env, "clockNow"));
  exports.Set("stepSystemTime", Napi::Function::New<StepSystemTime>(env, "stepSystemTime"));
  exports.Set("setClockRate", Napi::Function::New<SetClockRate>(env, "setClockRate"));
  exports.Set("clockRate", Napi::Function::New<ClockRate>(env, "clockRate"));
}

}  // namespace limiquantix
