#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace limiquantix {

/// Work in a thread of libuv's pool, as a promise. Whoever starts one sees to it that not all of
/// the pool's threads can be held up by a file system that does not answer.
class Job : public Napi::AsyncWorker {
 public:
  /// Gives the promise. The job deletes itself.
  static Napi::Value Start(std::unique_ptr<Job> job);

 protected:
  Job(Napi::Env env, const char* name)
      : Napi::AsyncWorker(env, name), deferred_(Napi::Promise::Deferred::New(env)) {}

  /// In the pool's thread. A code other than 0 rejects the promise, with `failed_path`.
  virtual SysError Run(std::string* failed_path) = 0;
  /// In JavaScript's thread, after success.
  virtual Napi::Value Value(Napi::Env env) = 0;

 private:
  void Execute() final { error_ = Run(&failed_path_); }
  void OnOK() final;
  void OnError(const Napi::Error& error) final;

  Napi::Promise::Deferred deferred_;
  SysError error_{0, nullptr};
  std::string failed_path_;
};

inline constexpr SysError kNoError{0, nullptr};

/// What must be a string without NUL; otherwise a TypeError is pending.
bool ReadPath(const Napi::CallbackInfo& info, size_t index, std::string* path);

}  // namespace limiquantix
