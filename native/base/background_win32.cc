#include "base/background_win32.h"

#include <windows.h>

#include <memory>
#include <utility>

#include "base/error_win32.h"
#include "base/napi_error.h"
#include "base/wake.h"

namespace limiquantix {
namespace {

void CALLBACK RunWork(PTP_CALLBACK_INSTANCE instance, void* work) {
  CallbackMayRunLong(instance);
  const std::unique_ptr<Background::Work> owned(static_cast<Background::Work*>(work));
  (*owned)();
}

/// Deletes itself when the promise is settled, or when the environment ends.
struct Pending {
  Napi::Env env;
  Background::Finish finish;
  napi_deferred deferred = nullptr;
  std::shared_ptr<Wake> wake;

  static void OnWake(void* owner) {
    const std::unique_ptr<Pending> pending(static_cast<Pending*>(owner));
    pending->wake->Close();
    Napi::HandleScope handles(pending->env);
    Result<Napi::Value> result = pending->finish(pending->env);
    if (result.ok()) {
      napi_resolve_deferred(pending->env, pending->deferred, result.value());
    } else {
      const Napi::Error reason = NodeError(pending->env, result.error());
      napi_reject_deferred(pending->env, pending->deferred, reason.Value());
    }
  }
  static void OnEnvironmentEnd(void* owner) { delete static_cast<Pending*>(owner); }
};

}  // namespace

bool Background::Run(Work work) {
  auto owned = std::make_unique<Work>(std::move(work));
  if (!TrySubmitThreadpoolCallback(RunWork, owned.get(), nullptr)) return false;
  owned.release();
  return true;
}

Napi::Value Background::Start(Napi::Env env, Work work, Finish finish) {
  std::unique_ptr<Pending> pending(new Pending{env, std::move(finish), nullptr, nullptr});
  napi_value promise = nullptr;
  if (napi_create_promise(env, &pending->deferred, &promise) != napi_ok) return env.Undefined();
  Result<std::shared_ptr<Wake>> wake =
      Wake::Create(env, pending.get(), Pending::OnWake, Pending::OnEnvironmentEnd);
  SysError error{0, nullptr};
  if (wake.ok()) {
    pending->wake = wake.value();
    const bool runs = Run([work = std::move(work), wake = wake.value()] {
      work();
      wake->Send();
    });
    if (runs) {
      pending.release();
      return Napi::Value(env, promise);
    }
    error = LastError("TrySubmitThreadpoolCallback");
    pending->wake->Close();
  } else {
    error = wake.error();
  }
  const Napi::Error reason = NodeError(env, error);
  napi_reject_deferred(env, pending->deferred, reason.Value());
  return Napi::Value(env, promise);
}

}  // namespace limiquantix
