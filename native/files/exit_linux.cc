#include <unistd.h>

#include "files/files.h"

namespace limiquantix {
namespace {

void ExitAtOnce(const Napi::CallbackInfo& info) {
  ::_exit(info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : 1);
}

}  // namespace

void RegisterExit(Napi::Env env, Napi::Object exports) {
  exports.Set("exitAtOnce", Napi::Function::New<ExitAtOnce>(env, "exitAtOnce"));
}

}  // namespace limiquantix
