#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "base/napi_error.h"
#include "process/process.h"

namespace limiquantix {
namespace {

// core(5): too little for a file, and the one value that also stops a dump into a pipe, which is
// where systemd-coredump and its like wait. (PR_SET_DUMPABLE would not do: the kernel sets it anew
// when a child that still shares this process's memory becomes another user.)
constexpr rlim_t kNoCore = 1;

/// The hard limit stays, as commands inherit it; their soft one is set when they start.
void ForbidCoreDumps(const Napi::CallbackInfo& info) {
  rlimit limit;
  if (::getrlimit(RLIMIT_CORE, &limit) == 0) {
    limit.rlim_cur = std::min(kNoCore, limit.rlim_max);
    if (::setrlimit(RLIMIT_CORE, &limit) == 0) return;
  }
  NodeError(info.Env(), SysError{errno, "setrlimit"}).ThrowAsJavaScriptException();
}

}  // namespace

void RegisterCore(Napi::Env env, Napi::Object exports) {
  exports.Set("forbidCoreDumps", Napi::Function::New<ForbidCoreDumps>(env, "forbidCoreDumps"));
}

}  // namespace limiquantix
