#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/napi_error.h"
#include "files/nt_win32.h"

namespace limiquantix {

/// Work in a thread of libuv's pool, as a promise. `run` is called there, and then `value` in
/// JavaScript's thread unless there was an error. The work deletes itself.
class Work : public Napi::AsyncWorker {
 public:
  using Run = std::function<SysError()>;
  using Value = std::function<Napi::Value(Napi::Env)>;

  static Napi::Value Start(Napi::Env env, const char* name, Run run, Value value) {
    auto* work = new Work(env, name, std::move(run), std::move(value));
    const Napi::Value promise = work->deferred_.Promise();
    work->Queue();
    return promise;
  }

 private:
  Work(Napi::Env env, const char* name, Run run, Value value)
      : Napi::AsyncWorker(env, name),
        run_(std::move(run)),
        value_(std::move(value)),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  void Execute() override { error_ = run_(); }
  void OnOK() override {
    if (error_.code != 0) {
      deferred_.Reject(NodeError(Env(), error_).Value());
    } else {
      deferred_.Resolve(value_(Env()));
    }
  }

  const Run run_;
  const Value value_;
  Napi::Promise::Deferred deferred_;
  SysError error_ = kNoError;
};

inline Napi::Value Nothing(Napi::Env env) { return env.Undefined(); }

/// An argument as the system takes it. What is no string is "".
inline std::wstring WideArgument(const Napi::Value& value) {
  if (!value.IsString()) return {};
  const std::u16string text = value.As<Napi::String>().Utf16Value();
  return std::wstring(text.begin(), text.end());
}

inline Napi::String ToString(Napi::Env env, std::wstring_view text) {
  return Napi::String::New(env, reinterpret_cast<const char16_t*>(text.data()), text.size());
}

inline uint32_t NumberArgument(const Napi::Value& value) {
  return value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : 0;
}

/// The handle behind a descriptor of Node's, which stays its; INVALID_HANDLE_VALUE where there is
/// none. JavaScript's thread only. The descriptor stays open until the work has settled.
HANDLE HandleArgument(const Napi::Value& value);

/// Gives a handle to Node, as a descriptor of its own C runtime; -1 when it has too many.
int ToDescriptor(UniqueHandle handle);

}  // namespace limiquantix
