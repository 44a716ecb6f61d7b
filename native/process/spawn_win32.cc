#include <utility>

#include "base/instance_data.h"
#include "process/process.h"
#include "process/process_win32.h"

namespace limiquantix {
namespace {

/// spawn(options, onExit): {ready, abort}.
Napi::Value Spawn(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  SpawnRequest request;
  const char* wrong = ReadSpawnOptions(info[0], &request);
  if (wrong == nullptr && !info[1].IsFunction()) wrong = "spawn(options, onExit)";
  if (wrong != nullptr) {
    if (!env.IsExceptionPending()) Napi::TypeError::New(env, wrong).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const Napi::Object object = env.GetInstanceData<InstanceData>()->process.New({});
  Process* const process = object.IsEmpty() ? nullptr : Process::Unwrap(object);
  if (process == nullptr) return env.Undefined();  // a worker that is being terminated
  return process->Start(std::move(request), info[1].As<Napi::Function>());
}

}  // namespace

void RegisterSpawn(Napi::Env env, Napi::Object exports) {
  env.GetInstanceData<InstanceData>()->process = Napi::Persistent(Process::Define(env));
  exports.Set("spawn", Napi::Function::New<Spawn>(env, "spawn"));
}

}  // namespace limiquantix
