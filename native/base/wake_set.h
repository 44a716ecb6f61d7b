#pragma once

#include <node_api.h>
#include <uv.h>

#include <memory>
#include <vector>

#include "base/result.h"

namespace limiquantix {

class Wake;

/// The handle on Node's event loop that all wakes of an environment share: threads that have
/// something to tell in the same turn cost one turn. Keeps the loop alive while it has wakes.
class WakeSet : public std::enable_shared_from_this<WakeSet> {
 public:
  /// JS thread: the environment's own, made when there is none.
  static Result<std::shared_ptr<WakeSet>> Of(napi_env env);
  ~WakeSet();
  WakeSet(const WakeSet&) = delete;
  WakeSet& operator=(const WakeSet&) = delete;

  /// JS thread.
  void Add(std::shared_ptr<Wake> wake);
  void Remove(const std::shared_ptr<Wake>& wake);

  /// Any thread. Nothing happens when the environment has ended.
  void Send(std::shared_ptr<Wake> wake);

 private:
  explicit WakeSet(napi_env env);
  void Close();
  static void OnSent(uv_async_t* handle);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data);

  const napi_env env_;
  uv_async_t async_;
  std::vector<std::shared_ptr<Wake>> wakes_;  // JS thread; each knows its place
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  std::shared_ptr<WakeSet> self_;  // set while libuv holds async_

  uv_mutex_t mutex_;  // keeps the handle from being closed while it is sent
  std::vector<std::shared_ptr<Wake>> sent_;
  bool closed_ = false;
};

}  // namespace limiquantix
