#include <string>

#include "base/napi_error.h"
#include "service/service.h"
#include "service/service_host_win32.h"
#include "service/text_argument_win32.h"

namespace limiquantix {
namespace {

constexpr size_t kLongestName = 256;

/// runService(name, onEvent)
void Run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::wstring name;
  if (!ReadText(info[0], kLongestName, "a name", &name)) return;
  if (!info[1].IsFunction()) {
    Napi::TypeError::New(env, "runService(name, onEvent)").ThrowAsJavaScriptException();
    return;
  }
  Result<ServiceHost*> host = ServiceHost::Start(env, name, info[1].As<Napi::Function>());
  if (!host.ok()) NodeError(env, host.error()).ThrowAsJavaScriptException();
}

/// serviceRunning()
void Running(const Napi::CallbackInfo&) {
  if (ServiceHost::instance() != nullptr) ServiceHost::instance()->Running();
}

/// serviceStopped(exitCode)
void Stopped(const Napi::CallbackInfo& info) {
  const uint32_t code = info[0].IsNumber() ? info[0].As<Napi::Number>().Uint32Value() : 1;
  if (ServiceHost::instance() != nullptr) ServiceHost::instance()->Stopped(code);
}

}  // namespace

void RegisterServiceHost(Napi::Env env, Napi::Object exports) {
  exports.Set("runService", Napi::Function::New<Run>(env, "runService"));
  exports.Set("serviceRunning", Napi::Function::New<Running>(env, "serviceRunning"));
  exports.Set("serviceStopped", Napi::Function::New<Stopped>(env, "serviceStopped"));
}

}  // namespace limiquantix
