#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/detached_thread_linux.h"
#include "base/instance_data.h"
#include "base/napi_error.h"
#include "base/unique_fd.h"
#include "base/wake.h"
#include "files/files.h"

namespace limiquantix {
namespace {

constexpr int kMaxSyncs = 8;
constexpr size_t kStackBytes = 64 * 1024;

/// A sync on its way, as its thread sees it. A disk that is gone may hold the thread up for ever.
struct Work {
  UniqueFd fd;
  int error = 0;  // the thread's, until the wake
  std::shared_ptr<Wake> wake;
};

/// The same as JavaScript's side sees it. Deletes itself when it is settled, or when the
/// environment ends.
class Sync {
 public:
  static Napi::Value Start(Napi::Env env, int fd) {
    std::unique_ptr<Sync> sync(new Sync(env));
    napi_value promise = nullptr;
    if (napi_create_promise(env, &sync->deferred_, &promise) != napi_ok) {
      return env.Undefined();  // a worker that is being terminated
    }
    if (const SysError error = sync->Run(fd); error.code != 0) {
      napi_reject_deferred(env, sync->deferred_, NodeError(env, error).Value());
    } else {
      sync.release();
    }
    return Napi::Value(env, promise);
  }

 private:
  explicit Sync(Napi::Env env) : env_(env), context_(env, "limiquantix.Sync") {}

  SysError Run(int fd) {
    const std::shared_ptr<std::atomic<int>> syncs = env_.GetInstanceData<InstanceData>()->syncs;
    if (*syncs >= kMaxSyncs) return SysError{EAGAIN, "syncfs"};
    // One that shares the open file, and so what errors it has not been told of yet; the caller may
    // close its own meanwhile.
    UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!own) return SysError{errno, "fcntl"};
    Result<std::shared_ptr<Wake>> wake = Wake::Create(env_, this, OnWake, OnEnvironmentEnd);
    if (!wake.ok()) return wake.error();
    work_ = std::make_shared<Work>();
    work_->fd = std::move(own);
    work_->wake = wake.value();
    ++*syncs;
    const auto body = [work = work_, syncs] {
      if (::syncfs(work->fd.get()) != 0) work->error = errno;
      work->fd.Reset();  // it may wait for the disk too
      --*syncs;
      work->wake->Send();
    };
    const int error = StartDetachedThread("lqx-sync", kStackBytes, body);
    if (error == 0) return SysError{0, nullptr};
    --*syncs;
    work_->wake->Close();
    return SysError{error, "pthread_create"};
  }

  static void OnWake(void* owner) {
    const std::unique_ptr<Sync> sync(static_cast<Sync*>(owner));
    sync->work_->wake->Close();
    Napi::Env env = sync->env_;
    Napi::HandleScope handles(env);
    Napi::CallbackScope scope(env, sync->context_);  // runs the promise's reactions at its end
    if (const int error = sync->work_->error; error != 0) {
      const Napi::Error reason = NodeError(env, SysError{error, "syncfs"});
      napi_reject_deferred(env, sync->deferred_, reason.Value());
    } else {
      napi_resolve_deferred(env, sync->deferred_, env.Undefined());
    }
  }

  static void OnEnvironmentEnd(void* owner) { delete static_cast<Sync*>(owner); }

  Napi::Env env_;
  Napi::AsyncContext context_;
  napi_deferred deferred_ = nullptr;
  std::shared_ptr<Work> work_;
};

Napi::Value SyncFs(const Napi::CallbackInfo& info) {
  const double fd = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
  if (!(fd >= 0 && fd <= INT32_MAX) || fd != static_cast<int>(fd)) {
    Napi::TypeError::New(info.Env(), "a descriptor is needed").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  return Sync::Start(info.Env(), static_cast<int>(fd));
}

}  // namespace

void RegisterSync(Napi::Env env, Napi::Object exports) {
  exports.Set("syncfs", Napi::Function::New<SyncFs>(env, "syncfs"));
}

}  // namespace limiquantix
