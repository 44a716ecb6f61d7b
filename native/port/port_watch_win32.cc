#include <napi.h>
#include <uv.h>

#include <memory>

#include "base/callback.h"
#include "base/napi_error.h"
#include "base/wake.h"
#include "port/notice_win32.h"
#include "port/port.h"

namespace limiquantix {
namespace {

/// Tells when virtio ports appear or are gone.
class PortWatch : public Napi::ObjectWrap<PortWatch> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "PortWatch", {InstanceMethod<&PortWatch::CloseFromJs>("close")});
  }

  explicit PortWatch(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PortWatch>(info) {
    Napi::Env env = info.Env();
    if (info.Length() < 1 || !info[0].IsFunction()) {
      Napi::TypeError::New(env, "new PortWatch(onChange)").ThrowAsJavaScriptException();
      return;
    }
    Result<std::shared_ptr<Wake>> wake = Wake::Create(env, this, OnWake, OnEnvironmentEnd);
    if (!wake.ok()) {
      NodeError(env, wake.error()).ThrowAsJavaScriptException();
      return;
    }
    wake_ = wake.value();
    callback_ = std::make_shared<Callback>(info[0].As<Napi::Function>());
    notice_ = Notice::OfPorts([wake = wake_] { wake->Send(); });
    if (notice_) return;
    Close();
    NodeError(env, SysError{-UV_ENOSYS, "CM_Register_Notification"}).ThrowAsJavaScriptException();
  }

  ~PortWatch() override { Close(); }

 private:
  static void OnWake(void* owner) {
    PortWatch* const watch = static_cast<PortWatch*>(owner);
    Napi::HandleScope scope(watch->Env());
    const std::shared_ptr<Callback> callback = watch->callback_;
    if (callback) callback->Call({});
  }
  static void OnEnvironmentEnd(void* owner) { static_cast<PortWatch*>(owner)->Close(); }

  void CloseFromJs(const Napi::CallbackInfo&) { Close(); }
  void Close() {
    notice_.reset();
    callback_.reset();
    if (wake_) wake_->Close();
    wake_.reset();
  }

  std::shared_ptr<Wake> wake_;
  std::shared_ptr<Callback> callback_;
  std::unique_ptr<Notice> notice_;
};

}  // namespace

void RegisterPortWatch(Napi::Env env, Napi::Object exports) {
  exports.Set("PortWatch", PortWatch::Define(env));
}

}  // namespace limiquantix
