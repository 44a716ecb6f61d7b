#pragma once

#include <napi.h>
#include <uv.h>
#include <windows.h>

#include <memory>
#include <string>

#include "base/callback.h"
#include "base/result.h"
#include "base/unique_handle_win32.h"
#include "base/wake.h"

namespace limiquantix {

/// This process as a service: what stands between the service control manager and JavaScript. There
/// is one, for as long as the process lives.
class ServiceHost {
 public:
  /// JS thread. `on_event` gets "start", then "stop"; or an error, when there is no manager that
  /// has started this process. EALREADY when there is a host.
  static Result<ServiceHost*> Start(Napi::Env env, std::wstring name, Napi::Function on_event);
  /// Null before Start.
  static ServiceHost* instance() { return instance_; }

  /// JS thread. What was starting is running.
  void Running();
  /// JS thread. Says that the service has stopped, and ends the process at once: what lives on
  /// keeps its files from being removed. A code other than 0 counts as a failure, upon which the
  /// manager acts.
  [[noreturn]] void Stopped(uint32_t exit_code);

 private:
  ServiceHost(std::wstring name, Napi::Function on_event);
  static void OnWake(void* host);
  static void WINAPI ServiceMain(DWORD count, wchar_t** arguments);
  static DWORD WINAPI OnControl(DWORD control, DWORD type, void* data, void* host);

  void Dispatch();
  void Attend();
  /// Reports that it goes on, each second until `until` is set; false after so many seconds.
  bool Await(DWORD state, HANDLE until, HANDLE also, int seconds);
  void Report(DWORD state, DWORD exit_code = NO_ERROR, DWORD own_exit_code = 0);
  [[noreturn]] void End(DWORD windows_code, DWORD own_exit_code, uint32_t exit_code);

  static ServiceHost* instance_;  // ServiceMain is given nothing to find it by
  const std::wstring name_;
  const std::shared_ptr<Callback> on_event_;
  std::shared_ptr<Wake> wake_;
  SERVICE_STATUS_HANDLE handle_ = nullptr;
  const UniqueHandle running_, stop_;  // events

  uv_mutex_t mutex_;
  bool started_ = false, stop_asked_ = false;  // and not told to JavaScript yet
  SysError error_{0, nullptr};                 // likewise
  DWORD state_ = SERVICE_STOPPED;
  DWORD checkpoint_ = 0;
};

}  // namespace limiquantix
