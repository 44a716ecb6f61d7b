#include <unistd.h>

#include <cerrno>

#include "base/detached_call_linux.h"
#include "base/instance_data.h"
#include "files/files.h"

namespace limiquantix {
namespace {

constexpr int kMaxSyncs = 8;

Napi::Value SyncFs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = DescriptorArgument(env, info[0]);
  if (fd < 0) return env.Undefined();
  const CallKind kind{"syncfs", "lqx-sync", env.GetInstanceData<InstanceData>()->syncs, kMaxSyncs};
  return StartDetachedCall(env, kind, fd, [](int own) {
    CallResult result;
    if (::syncfs(own) != 0) result.error = errno;
    return result;
  });
}

}  // namespace

void RegisterSync(Napi::Env env, Napi::Object exports) {
  exports.Set("syncfs", Napi::Function::New<SyncFs>(env, "syncfs"));
}

}  // namespace limiquantix
