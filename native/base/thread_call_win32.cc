#include "base/thread_call_win32.h"

#include <cerrno>
#include <utility>

#include "base/instance_data.h"
#include "base/napi_error.h"
#include "base/unique_handle_win32.h"
#include "base/wake.h"

namespace limiquantix {
namespace {

constexpr int kMostCalls = 16;
constexpr SIZE_T kStackBytes = 256 * 1024;

}  // namespace

/// A call on its way, as JavaScript's side sees it. Deletes itself when it is settled, or when the
/// environment ends.
class ThreadCallFlight {
 public:
  static Napi::Value Start(Napi::Env env, std::unique_ptr<ThreadCall> call) {
    std::unique_ptr<ThreadCallFlight> self(new ThreadCallFlight(env));
    napi_value promise = nullptr;
    if (napi_create_promise(env, &self->deferred_, &promise) != napi_ok) {
      return env.Undefined();  // a worker that is being terminated
    }
    if (const SysError error = self->Launch(std::move(call)); error.code != 0) {
      napi_reject_deferred(env, self->deferred_, NodeError(env, error).Value());
    } else {
      self.release();
    }
    return Napi::Value(env, promise);
  }

 private:
  /// What the thread has: it may outlive the environment.
  struct Work {
    std::unique_ptr<ThreadCall> call;
    SysError error = kSuccess;  // the thread's, until the wake
    std::shared_ptr<Wake> wake;
    std::shared_ptr<std::atomic<int>> under_way;
  };

  explicit ThreadCallFlight(Napi::Env env) : env_(env), context_(env, "limiquantix.ThreadCall") {}

  SysError Launch(std::unique_ptr<ThreadCall> call) {
    // Node.js unloads the addon with the last environment that has it; the thread may go on.
    HMODULE self = nullptr;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                            reinterpret_cast<const wchar_t*>(&ThreadCallFlight::Body), &self)) {
      return LastError("GetModuleHandleExW");
    }
    const auto count = env_.GetInstanceData<InstanceData>()->thread_calls;
    if (*count >= kMostCalls) return SysError{EAGAIN, "CreateThread"};
    Result<std::shared_ptr<Wake>> wake = Wake::Create(env_, this, OnWake, OnEnvironmentEnd);
    if (!wake.ok()) return wake.error();
    work_ = std::make_shared<Work>();
    work_->call = std::move(call);
    work_->wake = wake.value();
    work_->under_way = count;
    ++*count;
    auto* own = new std::shared_ptr<Work>(work_);
    const UniqueHandle thread(CreateThread(nullptr, kStackBytes, Body, own, 0, nullptr));
    if (thread) return kSuccess;
    const SysError error = LastError("CreateThread");
    --*count;
    delete own;
    work_->wake->Close();
    return error;
  }

  static DWORD WINAPI Body(void* own) {
    const std::unique_ptr<std::shared_ptr<Work>> holder(static_cast<std::shared_ptr<Work>*>(own));
    Work& work = **holder;
    work.error = work.call->Run();
    --*work.under_way;
    work.wake->Send();
    return 0;
  }

  static void OnWake(void* owner) {
    const std::unique_ptr<ThreadCallFlight> self(static_cast<ThreadCallFlight*>(owner));
    self->work_->wake->Close();
    Napi::Env env = self->env_;
    Napi::HandleScope handles(env);
    Napi::CallbackScope scope(env, self->context_);  // runs the promise's reactions at its end
    const Work& work = *self->work_;
    if (work.error.code != 0) {
      napi_reject_deferred(env, self->deferred_, NodeError(env, work.error).Value());
    } else {
      napi_resolve_deferred(env, self->deferred_, work.call->Value(env));
    }
  }

  static void OnEnvironmentEnd(void* owner) { delete static_cast<ThreadCallFlight*>(owner); }

  Napi::Env env_;
  Napi::AsyncContext context_;
  napi_deferred deferred_ = nullptr;
  std::shared_ptr<Work> work_;
};

Napi::Value ThreadCall::Start(Napi::Env env, std::unique_ptr<ThreadCall> call) {
  return ThreadCallFlight::Start(env, std::move(call));
}

}  // namespace limiquantix
