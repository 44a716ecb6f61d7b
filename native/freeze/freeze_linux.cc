#include <linux/fs.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdint>

#include "base/detached_call_linux.h"
#include "base/instance_data.h"
#include "freeze/freeze.h"

namespace limiquantix {
namespace {

/// Freezing ones that hang must never be in the way of thawing the others.
constexpr int kMaxFreezes = 256;
constexpr int kMaxThaws = 1024;
constexpr int kMaxTrims = 16;

CallResult Control(int fd, unsigned long request) {
  CallResult result;
  if (::ioctl(fd, request, 0) != 0) result.error = errno;
  return result;
}

Napi::Value FreezeFs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = DescriptorArgument(env, info[0]);
  if (fd < 0) return env.Undefined();
  const CallKind kind{"FIFREEZE", "lqx-freeze", env.GetInstanceData<InstanceData>()->freezes,
                      kMaxFreezes};
  return StartDetachedCall(env, kind, fd, [](int own) { return Control(own, FIFREEZE); });
}

Napi::Value ThawFs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = DescriptorArgument(env, info[0]);
  if (fd < 0) return env.Undefined();
  const CallKind kind{"FITHAW", "lqx-thaw", env.GetInstanceData<InstanceData>()->thaws, kMaxThaws};
  return StartDetachedCall(env, kind, fd, [](int own) { return Control(own, FITHAW); });
}

Napi::Value TrimFs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = DescriptorArgument(env, info[0]);
  if (fd < 0) return env.Undefined();
  const double minimum = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : -1;
  if (!(minimum >= 0 && minimum <= 9007199254740991.0)) {
    Napi::TypeError::New(env, "a number of bytes is needed").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const CallKind kind{"FITRIM", "lqx-trim", env.GetInstanceData<InstanceData>()->trims, kMaxTrims};
  return StartDetachedCall(env, kind, fd, [minimum](int own) {
    CallResult result;
    fstrim_range range{0, UINT64_MAX, static_cast<uint64_t>(minimum)};
    if (::ioctl(own, FITRIM, &range) != 0) result.error = errno;
    result.value = static_cast<double>(range.len);
    return result;
  });
}

}  // namespace

void RegisterFreeze(Napi::Env env, Napi::Object exports) {
  exports.Set("freezeFs", Napi::Function::New<FreezeFs>(env, "freezeFs"));
  exports.Set("thawFs", Napi::Function::New<ThawFs>(env, "thawFs"));
  exports.Set("trimFs", Napi::Function::New<TrimFs>(env, "trimFs"));
}

}  // namespace limiquantix
