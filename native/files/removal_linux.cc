#include <memory>
#include <string>
#include <utility>

#include "files/files.h"
#include "files/job_linux.h"
#include "files/tree_removal_linux.h"

namespace limiquantix {
namespace {

class StepJob : public Job {
 public:
  StepJob(Napi::Env env, std::shared_ptr<TreeRemoval> removal)
      : Job(env, "limiquantix.Removal"), removal_(std::move(removal)) {}

 private:
  SysError Run(std::string* failed_path) override { return removal_->Step(&done_, failed_path); }
  Napi::Value Value(Napi::Env env) override { return Napi::Boolean::New(env, done_); }

  const std::shared_ptr<TreeRemoval> removal_;  // lives as long as its last step, too
  bool done_ = false;
};

/// removeTree(parent, name): {step, close}
Napi::Value RemoveTree(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string name;
  if (!info[0].IsNumber()) {
    Napi::TypeError::New(env, "(parent, name)").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  if (!ReadPath(info, 1, &name)) return env.Undefined();
  const auto removal = std::make_shared<std::shared_ptr<TreeRemoval>>(
      std::make_shared<TreeRemoval>(info[0].As<Napi::Number>().Int32Value(), std::move(name)));
  Napi::Object result = Napi::Object::New(env);
  result.Set("step", Napi::Function::New(env, [removal](const Napi::CallbackInfo& call) {
               if (*removal) return Job::Start(std::make_unique<StepJob>(call.Env(), *removal));
               Napi::Error::New(call.Env(), "it is closed").ThrowAsJavaScriptException();
               return call.Env().Undefined();
             }));
  result.Set("close",
             Napi::Function::New(env, [removal](const Napi::CallbackInfo&) { removal->reset(); }));
  return result;
}

}  // namespace

void RegisterRemoval(Napi::Env env, Napi::Object exports) {
  exports.Set("removeTree", Napi::Function::New<RemoveTree>(env, "removeTree"));
}

}  // namespace limiquantix
