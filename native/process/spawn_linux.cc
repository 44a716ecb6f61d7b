#include <memory>
#include <utility>

#include "base/instance_data.h"
#include "process/clone_linux.h"
#include "process/process.h"
#include "process/process_linux.h"
#include "process/report_slab_linux.h"
#include "process/spawn_options_linux.h"

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
  InstanceData* const instance = env.GetInstanceData<InstanceData>();
  instance->process = Napi::Persistent(Process::Define(env));
  instance->reports = std::make_shared<ReportSlab>();
  instance->suid_dumpable = std::make_shared<const UniqueFd>(OpenSuidDumpable());
  exports.Set("spawn", Napi::Function::New<Spawn>(env, "spawn"));
}

}  // namespace limiquantix
