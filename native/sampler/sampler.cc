#include "sampler/sampler.h"

#include <uv.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/callback.h"
#include "base/napi_error.h"
#include "sampler/sample_js.h"
#include "sampler/sampler_core.h"

namespace limiquantix {
namespace {

constexpr uint32_t kMaxDeadlineMs = 60 * 1000;

/// The sampler as JavaScript sees it.
class Sampler : public Napi::ObjectWrap<Sampler> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "Sampler",
        {InstanceMethod<&Sampler::Take>("sample"), InstanceMethod<&Sampler::Watch>("watch"),
         InstanceMethod<&Sampler::Unwatch>("unwatch"),
         InstanceMethod<&Sampler::CloseFromJs>("close")});
  }

  explicit Sampler(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Sampler>(info) {
    Napi::Env env = info.Env();
    std::vector<std::string> include;
    if (!ReadInclude(info[0], &include)) {
      Napi::TypeError::New(env, "new Sampler({ includeFilesystems?: string[] })")
          .ThrowAsJavaScriptException();
      return;
    }
    Result<std::shared_ptr<SamplerCore>> core = SamplerCore::Create(env, std::move(include));
    if (!core.ok()) {
      NodeError(env, core.error()).ThrowAsJavaScriptException();
      return;
    }
    core_ = std::move(core.value());
    context_ = std::make_unique<Napi::AsyncContext>(env, "limiquantix.Sampler");
  }

  ~Sampler() override {
    if (core_) core_->Close();
  }

 private:
  static bool ReadInclude(Napi::Value options, std::vector<std::string>* include) {
    if (options.IsUndefined()) return true;
    if (!options.IsObject()) return false;
    const Napi::Value list = options.As<Napi::Object>().Get("includeFilesystems");
    if (list.IsUndefined()) return true;
    if (!list.IsArray()) return false;
    const Napi::Array types = list.As<Napi::Array>();
    for (uint32_t i = 0; i < types.Length(); ++i) {
      const Napi::Value type = types.Get(i);
      if (!type.IsString()) return false;
      include->push_back(type.As<Napi::String>().Utf8Value());
    }
    return true;
  }

  /// sample(deadlineMs): a promise of a RawSample. One at a time.
  Napi::Value Take(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    const uint32_t deadline_ms = info[0].IsNumber() ? info[0].As<Napi::Number>().Uint32Value() : 0;
    if (deadline_ms == 0 || deadline_ms > kMaxDeadlineMs) {
      Napi::RangeError::New(env, "the deadline must be 1 to 60000 milliseconds")
          .ThrowAsJavaScriptException();
      return env.Undefined();
    }
    if (core_->closed()) return Fail(env, SysError{-UV_EBADF, "sample"});
    if (core_->running()) return Fail(env, SysError{-UV_EBUSY, "sample"});
    napi_value promise = nullptr;
    if (napi_create_promise(env, &deferred_, &promise) != napi_ok) {
      return env.Undefined();  // a worker that is being terminated
    }
    Ref();  // until OnSample, so that it is not collected meanwhile
    core_->Start(deadline_ms, this, OnSample);
    return Napi::Value(env, promise);
  }

  static void OnSample(void* owner, const Sample& sample,
                       const std::optional<SourceError>& failure) {
    Sampler* const sampler = static_cast<Sampler*>(owner);
    Napi::Env env = sampler->Env();
    Napi::HandleScope handles(env);
    Napi::CallbackScope scope(env, *sampler->context_);  // runs the promise's reactions at its end
    const napi_deferred deferred = std::exchange(sampler->deferred_, nullptr);
    sampler->Unref();
    if (failure) {
      const Napi::Error error = NodeError(env, failure->error, failure->path);
      napi_reject_deferred(env, deferred, error.Value());
    } else {
      napi_resolve_deferred(env, deferred, ToJs(env, sample));
    }
  }

  /// watch(onChange): replaces an earlier watch.
  void Watch(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!info[0].IsFunction()) {
      Napi::TypeError::New(env, "watch(onChange)").ThrowAsJavaScriptException();
      return;
    }
    if (core_->closed()) {
      Fail(env, SysError{-UV_EBADF, "watch"});
      return;
    }
    core_->Unwatch();
    on_change_.reset(new Callback(info[0].As<Napi::Function>()));
    if (int error = core_->Watch(this, OnChange); error != 0) {
      on_change_.reset();
      Fail(env, SysError{error, "watch"});
    }
  }

  static void OnChange(void* owner) {
    Sampler* const sampler = static_cast<Sampler*>(owner);
    const Turn turn(sampler->Env());
    const std::shared_ptr<Callback> callback = sampler->on_change_;  // JS may unwatch in the call
    callback->Call({});
  }

  void Unwatch(const Napi::CallbackInfo&) {
    core_->Unwatch();
    on_change_.reset();
  }

  /// close(): idempotent. A sample under way is rejected with ECANCELED.
  void CloseFromJs(const Napi::CallbackInfo& info) {
    core_->Close();
    on_change_.reset();
    if (deferred_ == nullptr) return;
    const napi_deferred deferred = std::exchange(deferred_, nullptr);
    const Napi::Error error = NodeError(info.Env(), SysError{-UV_ECANCELED, "sample"});
    napi_reject_deferred(info.Env(), deferred, error.Value());
    Unref();
  }

  static Napi::Value Fail(Napi::Env env, const SysError& error) {
    NodeError(env, error).ThrowAsJavaScriptException();
    return env.Undefined();
  }

  std::shared_ptr<SamplerCore> core_;
  std::unique_ptr<Napi::AsyncContext> context_;
  std::shared_ptr<Callback> on_change_;
  napi_deferred deferred_ = nullptr;  // of the sample under way
};

}  // namespace

void RegisterSampler(Napi::Env env, Napi::Object exports) {
  exports.Set("Sampler", Sampler::Define(env));
}

}  // namespace limiquantix
