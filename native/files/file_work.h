#pragma once

#include <napi.h>

#include <string>

namespace limiquantix {

/// Work on files, on one of libuv's threads, as Node's own is; and the promise of it. Deletes
/// itself.
class FileWork : public Napi::AsyncWorker {
 public:
  FileWork(Napi::Env env, const char* name)
      : Napi::AsyncWorker(env, name), deferred_(Napi::Promise::Deferred::New(env)) {}

  Napi::Value Start() {
    const Napi::Promise promise = deferred_.Promise();
    Queue();
    return promise;
  }

 protected:
  /// JS thread, when the work is done. What the promise is resolved with; or, with a pending
  /// `reason_`, rejected.
  virtual Napi::Value Value(Napi::Env env) = 0;
  Napi::Value reason_;

 private:
  void OnOK() override {
    const Napi::Value value = Value(Env());
    if (reason_.IsEmpty()) {
      deferred_.Resolve(value);
    } else {
      deferred_.Reject(reason_);
    }
  }

  Napi::Promise::Deferred deferred_;
};

/// A name or path without NUL, as the system takes it.
inline bool ReadName(const Napi::Value& value, std::string* name) {
  if (!value.IsString()) return false;
  *name = value.As<Napi::String>().Utf8Value();
  return !name->empty() && name->find('\0') == std::string::npos;
}

}  // namespace limiquantix
