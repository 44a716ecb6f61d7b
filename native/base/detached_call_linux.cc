#include "base/detached_call_linux.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/detached_thread.h"
#include "base/napi_error.h"
#include "base/unique_fd.h"
#include "base/wake.h"

namespace limiquantix {
namespace {

constexpr size_t kStackBytes = 64 * 1024;

/// A call on its way, as its thread sees it.
struct Work {
  UniqueFd fd;
  CallResult result;  // the thread's, until the wake
  std::shared_ptr<Wake> wake;
};

/// The same as JavaScript's side sees it. Deletes itself when it is settled, or when the
/// environment ends.
class DetachedCall {
 public:
  static Napi::Value Start(Napi::Env env, const CallKind& kind, int fd,
                           std::function<CallResult(int fd)> call) {
    std::unique_ptr<DetachedCall> self(new DetachedCall(env, kind.name));
    napi_value promise = nullptr;
    if (napi_create_promise(env, &self->deferred_, &promise) != napi_ok) {
      return env.Undefined();  // a worker that is being terminated
    }
    if (const SysError error = self->Run(kind, fd, std::move(call)); error.code != 0) {
      napi_reject_deferred(env, self->deferred_, NodeError(env, error).Value());
    } else {
      self.release();
    }
    return Napi::Value(env, promise);
  }

 private:
  DetachedCall(Napi::Env env, const char* name)
      : env_(env), name_(name), context_(env, "limiquantix.DetachedCall") {}

  SysError Run(const CallKind& kind, int fd, std::function<CallResult(int fd)> call) {
    const std::shared_ptr<std::atomic<int>> count = kind.under_way;
    if (*count >= kind.most) return SysError{EAGAIN, kind.name};
    // One that shares the open file, and so what errors it has not been told of yet; the caller may
    // close its own meanwhile.
    UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!own) return SysError{errno, "fcntl"};
    Result<std::shared_ptr<Wake>> wake = Wake::Create(env_, this, OnWake, OnEnvironmentEnd);
    if (!wake.ok()) return wake.error();
    work_ = std::make_shared<Work>();
    work_->fd = std::move(own);
    work_->wake = wake.value();
    ++*count;
    const auto body = [work = work_, count, call = std::move(call)] {
      work->result = call(work->fd.get());
      work->fd.Reset();  // it may wait for the disk too
      --*count;
      work->wake->Send();
    };
    const int error = StartDetachedThread(kind.thread, kStackBytes, body);
    if (error == 0) return SysError{0, nullptr};
    --*count;
    work_->wake->Close();
    return SysError{error, "pthread_create"};
  }

  static void OnWake(void* owner) {
    const std::unique_ptr<DetachedCall> self(static_cast<DetachedCall*>(owner));
    self->work_->wake->Close();
    Napi::Env env = self->env_;
    Napi::HandleScope handles(env);
    Napi::CallbackScope scope(env, self->context_);  // runs the promise's reactions at its end
    const CallResult& result = self->work_->result;
    if (result.error != 0) {
      const Napi::Error reason = NodeError(env, SysError{result.error, self->name_});
      napi_reject_deferred(env, self->deferred_, reason.Value());
    } else {
      napi_resolve_deferred(env, self->deferred_, Napi::Number::New(env, result.value));
    }
  }

  static void OnEnvironmentEnd(void* owner) { delete static_cast<DetachedCall*>(owner); }

  Napi::Env env_;
  const char* const name_;
  Napi::AsyncContext context_;
  napi_deferred deferred_ = nullptr;
  std::shared_ptr<Work> work_;
};

}  // namespace

Napi::Value StartDetachedCall(Napi::Env env, const CallKind& kind, int fd,
                              std::function<CallResult(int fd)> call) {
  return DetachedCall::Start(env, kind, fd, std::move(call));
}

int DescriptorArgument(Napi::Env env, const Napi::Value& argument) {
  const double fd = argument.IsNumber() ? argument.As<Napi::Number>().DoubleValue() : -1;
  if (fd >= 0 && fd <= INT32_MAX && fd == static_cast<int>(fd)) return static_cast<int>(fd);
  Napi::TypeError::New(env, "a descriptor is needed").ThrowAsJavaScriptException();
  return -1;
}

}  // namespace limiquantix
