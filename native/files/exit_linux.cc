#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/detached_thread.h"
#include "base/napi_error.h"
#include "files/files.h"

namespace limiquantix {
namespace {

constexpr size_t kStackBytes = 64 * 1024;

void ExitWithin(const Napi::CallbackInfo& info) {
  const int code = info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : 1;
  const double ms = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : 0;
  const auto body = [code, ms] {
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(ms));
    ::_exit(code);
  };
  if (int error = StartDetachedThread("lqx-exit", kStackBytes, body); error != 0) {
    NodeError(info.Env(), SysError{error, "pthread_create"}).ThrowAsJavaScriptException();
  }
}

}  // namespace

void RegisterExit(Napi::Env env, Napi::Object exports) {
  exports.Set("exitWithin", Napi::Function::New<ExitWithin>(env, "exitWithin"));
}

}  // namespace limiquantix
