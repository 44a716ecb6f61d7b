#pragma once

#include <node_api.h>
#include <uv.h>

#include <memory>

#include "base/result.h"

namespace limiquantix {

/// Lets another thread call Node's event loop, for as long as there is one. Keeps the loop alive
/// until it is closed, and itself until libuv has let go of its handle.
class Wake : public std::enable_shared_from_this<Wake> {
 public:
  using Callback = void (*)(void* owner);

  /// `on_wake` runs on the JS thread, once for one or several calls of Send. `on_end` runs there
  /// when the environment ends first; the wake is closed then.
  static Result<std::shared_ptr<Wake>> Create(napi_env env, void* owner, Callback on_wake,
                                              Callback on_end);
  ~Wake();

  /// Any thread, also after Close: then nothing happens.
  void Send();

  /// JS thread. Idempotent. No callback runs afterwards.
  void Close();

 private:
  Wake(void* owner, Callback on_wake, Callback on_end);
  static void OnWake(uv_async_t* handle);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data);

  uv_async_t async_;
  void* owner_;
  const Callback on_wake_, on_end_;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  std::shared_ptr<Wake> self_;  // set while libuv holds async_

  uv_mutex_t mutex_;  // keeps the handle from being closed while it is sent
  bool closed_ = false;
};

}  // namespace limiquantix
