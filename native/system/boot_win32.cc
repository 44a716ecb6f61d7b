#include <windows.h>
#include <winternl.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "base/arguments_win32.h"
#include "base/error_win32.h"
#include "base/napi_error.h"
#include "base/thread_call_win32.h"
#include "system/system.h"

namespace limiquantix {
namespace {

/// SYSTEM_TIMEOFDAY_INFORMATION; winternl.h has it without names.
struct TimeOfDay {
  LARGE_INTEGER boot_time, current_time, zone_bias;
  ULONG zone_id, reserved;
  ULONGLONG boot_time_bias, sleep_time_bias;
};
static_assert(sizeof(TimeOfDay) == 48);

/// bootId(): when the system was started. A step of the clock moves that, and its bias as far: what
/// is left is the same for as long as the system is up.
Napi::Value BootId(const Napi::CallbackInfo& info) {
  TimeOfDay times{};
  ULONG length = 0;
  const NTSTATUS status =
      NtQuerySystemInformation(SystemTimeOfDayInformation, &times, sizeof times, &length);
  if (!NT_SUCCESS(status)) {
    const SysError error = WindowsError(RtlNtStatusToDosError(status), "NtQuerySystemInformation");
    NodeError(info.Env(), error).ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  char text[24];
  const auto started = static_cast<ULONGLONG>(times.boot_time.QuadPart) - times.boot_time_bias;
  std::snprintf(text, sizeof text, "%016llx", started);
  return Napi::String::New(info.Env(), text);
}

class ServiceCall : public ThreadCall {
 public:
  explicit ServiceCall(std::wstring name) : name_(std::move(name)) {}

 private:
  SysError Run() override {
    const SC_HANDLE manager = OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT);
    if (manager == nullptr) return LastError("OpenSCManagerW");
    SysError error = kSuccess;
    SERVICE_STATUS status{};
    const SC_HANDLE service = OpenServiceW(manager, name_.c_str(), SERVICE_QUERY_STATUS);
    if (service == nullptr || !QueryServiceStatus(service, &status))
      error = LastError("OpenServiceW");
    if (service != nullptr) CloseServiceHandle(service);
    CloseServiceHandle(manager);
    running_ = status.dwCurrentState == SERVICE_RUNNING;
    return error.windows == ERROR_SERVICE_DOES_NOT_EXIST ? kSuccess : error;
  }

  Napi::Value Value(Napi::Env env) override { return Napi::Boolean::New(env, running_); }

  const std::wstring name_;
  bool running_ = false;
};

/// isServiceRunning(name)
Napi::Value IsServiceRunning(const Napi::CallbackInfo& info) {
  constexpr size_t kLongestName = 256;
  std::wstring name;
  if (!ReadText(info[0], kLongestName, &name)) {
    return WrongArguments(info.Env(), "a service's name");
  }
  return ThreadCall::Start(info.Env(), std::make_unique<ServiceCall>(std::move(name)));
}

}  // namespace

void RegisterBoot(Napi::Env env, Napi::Object exports) {
  exports.Set("bootId", Napi::Function::New<BootId>(env, "bootId"));
  exports.Set("isServiceRunning", Napi::Function::New<IsServiceRunning>(env, "isServiceRunning"));
}

}  // namespace limiquantix
