#include <windows.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/napi_error.h"
#include "base/wide_win32.h"
#include "service/install_win32.h"
#include "service/service.h"
#include "service/service_handle_win32.h"
#include "service/text_argument_win32.h"

namespace limiquantix {
namespace {

constexpr size_t kLongestName = 256;
constexpr size_t kLongestText =
    32 * 1024 - 1;                            // of a command line, and more than enough for others
constexpr DWORD kMostConfigBytes = 8 * 1024;  // what QueryServiceConfig gives at most

Napi::Value Fail(Napi::Env env, const SysError& error) {
  NodeError(env, error).ThrowAsJavaScriptException();
  return env.Undefined();
}

Napi::Value WrongSettings(Napi::Env env) {
  Napi::TypeError::New(env, "installService(settings): a number is needed")
      .ThrowAsJavaScriptException();
  return env.Undefined();
}

/// installService(settings)
Napi::Value Install(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) return WrongSettings(env);
  const Napi::Object object = info[0].As<Napi::Object>();
  ServiceSettings settings;
  if (!ReadText(object.Get("name"), kLongestName, "a name", &settings.name) ||
      !ReadText(object.Get("displayName"), kLongestName, "a display name",
                &settings.display_name) ||
      !ReadText(object.Get("description"), kLongestText, "a description", &settings.description) ||
      !ReadText(object.Get("commandLine"), kLongestText, "a command line",
                &settings.command_line)) {
    return env.Undefined();
  }
  const Napi::Value reset = object.Get("failuresResetSeconds");
  const Napi::Value preshutdown = object.Get("preshutdownMs");
  const Napi::Value delays = object.Get("restartDelaysMs");
  if (!reset.IsNumber() || !preshutdown.IsNumber() || !delays.IsArray()) return WrongSettings(env);
  settings.failures_reset_seconds = reset.As<Napi::Number>().Uint32Value();
  settings.preshutdown_ms = preshutdown.As<Napi::Number>().Uint32Value();
  for (uint32_t i = 0; i < delays.As<Napi::Array>().Length(); ++i) {
    const Napi::Value delay = delays.As<Napi::Array>().Get(i);
    if (!delay.IsNumber()) return WrongSettings(env);
    settings.restart_delays_ms.push_back(delay.As<Napi::Number>().Uint32Value());
  }
  Result<Installed> installed = InstallService(settings);
  if (!installed.ok()) return Fail(env, installed.error());
  Napi::Array lacks = Napi::Array::New(env);
  for (const std::string& what : installed.value().lacks) lacks.Set(lacks.Length(), what);
  Napi::Object result = Napi::Object::New(env);
  result.Set("created", installed.value().created);
  result.Set("lacks", lacks);
  return result;
}

const char* StateName(DWORD state) {
  switch (state) {
    case SERVICE_STOPPED:
      return "stopped";
    case SERVICE_START_PENDING:
      return "starting";
    case SERVICE_STOP_PENDING:
      return "stopping";
    case SERVICE_RUNNING:
      return "running";
    default:
      return "paused";
  }
}

const char* StartTypeName(DWORD type) {
  switch (type) {
    case SERVICE_AUTO_START:
      return "automatic";
    case SERVICE_DISABLED:
      return "disabled";
    default:
      return "manual";
  }
}

/// queryService(name)
Napi::Value Query(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::wstring name;
  if (!ReadText(info[0], kLongestName, "a name", &name)) return env.Undefined();
  Result<ServiceHandle> service = OpenInstalled(name, SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG);
  if (!service.ok()) return Fail(env, service.error());
  SERVICE_STATUS_PROCESS status{};
  DWORD needed = 0;
  if (QueryServiceStatusEx(service.value().get(), SC_STATUS_PROCESS_INFO,
                           reinterpret_cast<BYTE*>(&status), sizeof status, &needed) == 0) {
    return Fail(env, LastError("QueryServiceStatusEx"));
  }
  std::vector<std::max_align_t> buffer(kMostConfigBytes / sizeof(std::max_align_t));
  auto* const config = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(buffer.data());
  if (QueryServiceConfigW(service.value().get(), config, kMostConfigBytes, &needed) == 0) {
    return Fail(env, LastError("QueryServiceConfig"));
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("state", StateName(status.dwCurrentState));
  result.Set("pid", Napi::Number::New(env, status.dwProcessId));
  result.Set("exitCode", Napi::Number::New(env, status.dwWin32ExitCode));
  result.Set("ownExitCode", Napi::Number::New(env, status.dwServiceSpecificExitCode));
  result.Set("startType", StartTypeName(config->dwStartType));
  result.Set("commandLine",
             config->lpBinaryPathName == nullptr ? "" : Utf8(config->lpBinaryPathName));
  return result;
}

/// startService(name)
void Start(const Napi::CallbackInfo& info) {
  std::wstring name;
  if (!ReadText(info[0], kLongestName, "a name", &name)) return;
  Result<ServiceHandle> service = OpenInstalled(name, SERVICE_START);
  if (!service.ok()) {
    Fail(info.Env(), service.error());
  } else if (StartServiceW(service.value().get(), 0, nullptr) == 0) {
    Fail(info.Env(), LastError("StartService"));
  }
}

/// stopService(name)
void Stop(const Napi::CallbackInfo& info) {
  std::wstring name;
  if (!ReadText(info[0], kLongestName, "a name", &name)) return;
  Result<ServiceHandle> service = OpenInstalled(name, SERVICE_STOP);
  SERVICE_STATUS status{};
  if (!service.ok()) {
    Fail(info.Env(), service.error());
  } else if (ControlService(service.value().get(), SERVICE_CONTROL_STOP, &status) == 0) {
    Fail(info.Env(), LastError("ControlService"));
  }
}

/// removeService(name)
void Remove(const Napi::CallbackInfo& info) {
  std::wstring name;
  if (!ReadText(info[0], kLongestName, "a name", &name)) return;
  Result<ServiceHandle> service = OpenInstalled(name, DELETE);
  if (!service.ok()) {
    Fail(info.Env(), service.error());
  } else if (DeleteService(service.value().get()) == 0) {
    Fail(info.Env(), LastError("DeleteService"));
  }
}

}  // namespace

void RegisterServices(Napi::Env env, Napi::Object exports) {
  exports.Set("installService", Napi::Function::New<Install>(env, "installService"));
  exports.Set("queryService", Napi::Function::New<Query>(env, "queryService"));
  exports.Set("startService", Napi::Function::New<Start>(env, "startService"));
  exports.Set("stopService", Napi::Function::New<Stop>(env, "stopService"));
  exports.Set("removeService", Napi::Function::New<Remove>(env, "removeService"));
}

}  // namespace limiquantix
