#pragma once

#include <napi.h>

#include <memory>

#include "base/error_win32.h"

namespace limiquantix {

/// Work that another process or machine may hold up for as long as it likes, as a promise: it has a
/// thread of its own, so that neither JavaScript nor libuv's pool waits for it.
class ThreadCall {
 public:
  virtual ~ThreadCall() = default;

  /// JS thread. Gives the promise; with too many under way it is rejected with EAGAIN.
  static Napi::Value Start(Napi::Env env, std::unique_ptr<ThreadCall> call);

 protected:
  /// The call's own thread. A code other than 0 rejects the promise.
  virtual SysError Run() = 0;
  /// JS thread, after success.
  virtual Napi::Value Value(Napi::Env env) { return env.Undefined(); }

 private:
  friend class ThreadCallFlight;
};

inline constexpr SysError kSuccess{0, nullptr, 0};

}  // namespace limiquantix
