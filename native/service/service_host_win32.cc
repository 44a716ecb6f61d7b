#include "service/service_host_win32.h"

#include <cstddef>
#include <utility>

#include "base/detached_thread.h"
#include "base/error_win32.h"
#include "base/lock.h"
#include "base/napi_error.h"

namespace limiquantix {
namespace {

constexpr size_t kStackBytes = 256 * 1024;
constexpr int kStartSeconds = 60;
// The agent ends within one second. An event loop that hangs must not keep the system from going
// down, nor an administrator from replacing the service.
constexpr int kStopSeconds = 3;
constexpr DWORD kTickMs = 1000;
constexpr DWORD kHintMs = 5 * kTickMs;  // until the next report at the latest
constexpr DWORD kAccepted =
    SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PRESHUTDOWN;

HANDLE NewEvent() { return CreateEventW(nullptr, TRUE, FALSE, nullptr); }

}  // namespace

ServiceHost* ServiceHost::instance_ = nullptr;

ServiceHost::ServiceHost(std::wstring name, Napi::Function on_event)
    : name_(std::move(name)),
      on_event_(new Callback(on_event)),
      running_(NewEvent()),
      stop_(NewEvent()) {
  uv_mutex_init(&mutex_);
}

Result<ServiceHost*> ServiceHost::Start(Napi::Env env, std::wstring name, Napi::Function on_event) {
  if (instance_ != nullptr) return SysError{-UV_EALREADY, "runService"};
  std::unique_ptr<ServiceHost> host(new ServiceHost(std::move(name), on_event));
  if (!host->running_ || !host->stop_) return LastError("CreateEvent");
  // At the end of the environment the process ends, and the manager sees that.
  Result<std::shared_ptr<Wake>> wake = Wake::Create(env, host.get(), OnWake, [](void*) {});
  if (!wake.ok()) return wake.error();
  host->wake_ = wake.value();
  instance_ = host.release();
  const auto body = [] { instance_->Dispatch(); };
  if (const int error = StartDetachedThread("lqx-service", kStackBytes, body); error != 0) {
    instance_->wake_->Close();
    return SysError{error, "_beginthreadex"};
  }
  return instance_;
}

/// Comes back when the service has stopped, or at once.
void ServiceHost::Dispatch() {
  const SERVICE_TABLE_ENTRYW table[] = {{const_cast<wchar_t*>(name_.c_str()), ServiceMain},
                                        {nullptr, nullptr}};
  if (StartServiceCtrlDispatcherW(table) != 0) return;
  const SysError error = LastError("StartServiceCtrlDispatcher");
  {
    const Lock lock(&mutex_);
    error_ = error;
  }
  wake_->Send();
}

void ServiceHost::ServiceMain(DWORD, wchar_t**) { instance_->Attend(); }

void ServiceHost::Attend() {
  handle_ = RegisterServiceCtrlHandlerExW(name_.c_str(), OnControl, this);
  if (handle_ == nullptr) {
    const SysError error = LastError("RegisterServiceCtrlHandlerEx");
    const Lock lock(&mutex_);
    error_ = error;
    wake_->Send();
    return;
  }
  Report(SERVICE_START_PENDING);
  {
    const Lock lock(&mutex_);
    started_ = true;
  }
  wake_->Send();
  if (!Await(SERVICE_START_PENDING, running_.get(), stop_.get(), kStartSeconds)) {
    End(ERROR_SERVICE_REQUEST_TIMEOUT, 0, 1);
  }
  WaitForSingleObject(stop_.get(), INFINITE);
  Await(SERVICE_STOP_PENDING, nullptr, nullptr, kStopSeconds);
  End(NO_ERROR, 0, 1);  // it was asked to stop: that is no failure to be restarted after
}

bool ServiceHost::Await(DWORD state, HANDLE until, HANDLE also, int seconds) {
  const HANDLE events[] = {until, also};
  for (int second = 0; second < seconds; ++second) {
    if (until == nullptr) {
      Sleep(kTickMs);
    } else if (WaitForMultipleObjects(2, events, FALSE, kTickMs) != WAIT_TIMEOUT) {
      return true;
    }
    Report(state);
  }
  return false;
}

DWORD ServiceHost::OnControl(DWORD control, DWORD, void*, void* data) {
  auto* const host = static_cast<ServiceHost*>(data);
  switch (control) {
    case SERVICE_CONTROL_INTERROGATE:
      return NO_ERROR;
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
    case SERVICE_CONTROL_PRESHUTDOWN:
      host->Report(SERVICE_STOP_PENDING);
      {
        const Lock lock(&host->mutex_);
        host->stop_asked_ = true;
      }
      host->wake_->Send();
      SetEvent(host->stop_.get());
      return NO_ERROR;
    default:
      return ERROR_CALL_NOT_IMPLEMENTED;
  }
}

void ServiceHost::Report(DWORD state, DWORD exit_code, DWORD own_exit_code) {
  const Lock lock(&mutex_);
  // A report that comes late must not take back what another thread has said meanwhile.
  const bool pending = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
  if (state_ == SERVICE_STOP_PENDING && state != SERVICE_STOP_PENDING && state != SERVICE_STOPPED) {
    return;
  }
  if (state == SERVICE_START_PENDING && state_ == SERVICE_RUNNING) return;
  state_ = state;
  SERVICE_STATUS status{};
  status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
  status.dwCurrentState = state;
  status.dwControlsAccepted = state == SERVICE_RUNNING ? kAccepted : 0;
  status.dwWin32ExitCode = exit_code;
  status.dwServiceSpecificExitCode = own_exit_code;
  status.dwCheckPoint = pending ? ++checkpoint_ : 0;
  status.dwWaitHint = pending ? kHintMs : 0;
  SetServiceStatus(handle_, &status);  // fails only for a handle or a state that there is not
}

void ServiceHost::Running() {
  if (handle_ == nullptr) return;
  Report(SERVICE_RUNNING);
  SetEvent(running_.get());
}

void ServiceHost::Stopped(uint32_t exit_code) {
  End(exit_code == 0 ? NO_ERROR : ERROR_SERVICE_SPECIFIC_ERROR, exit_code, exit_code);
}

void ServiceHost::End(DWORD windows_code, DWORD own_exit_code, uint32_t exit_code) {
  if (handle_ != nullptr) Report(SERVICE_STOPPED, windows_code, own_exit_code);
  // No destructors, no libraries that are told: any of them could hang.
  TerminateProcess(GetCurrentProcess(), exit_code);
  for (;;) Sleep(INFINITE);
}

void ServiceHost::OnWake(void* data) {
  auto* const host = static_cast<ServiceHost*>(data);
  bool started = false, stop_asked = false;
  SysError error{0, nullptr};
  {
    const Lock lock(&host->mutex_);
    started = std::exchange(host->started_, false);
    stop_asked = std::exchange(host->stop_asked_, false);
    error = std::exchange(host->error_, SysError{0, nullptr});
  }
  const Napi::Env env(host->on_event_->env());
  if (error.syscall != nullptr) {
    host->wake_->Close();
    host->on_event_->Call({NodeError(env, error).Value()});
    return;
  }
  if (started) host->on_event_->Call({Napi::String::New(env, "start")});
  if (stop_asked) host->on_event_->Call({Napi::String::New(env, "stop")});
}

}  // namespace limiquantix
