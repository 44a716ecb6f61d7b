#pragma once

#include <node_api.h>

#include <memory>

#include "base/result.h"
#include "base/wake_set.h"

namespace limiquantix {

/// Lets another thread call Node's event loop, for as long as there is one. Keeps the loop alive
/// until it is closed; the set keeps it until then.
class Wake : public std::enable_shared_from_this<Wake> {
 public:
  using Callback = void (*)(void* owner);

  /// `on_wake` runs on the JS thread, once for one or several calls of Send. `on_end` runs there
  /// when the environment ends first; the wake is closed then.
  static Result<std::shared_ptr<Wake>> Create(napi_env env, void* owner, Callback on_wake,
                                              Callback on_end);
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  /// Any thread, also after Close: then nothing happens.
  void Send();

  /// JS thread. Idempotent. No callback runs afterwards.
  void Close();

 private:
  friend class WakeSet;
  Wake(std::shared_ptr<WakeSet> set, void* owner, Callback on_wake, Callback on_end);

  const std::shared_ptr<WakeSet> set_;
  void* const owner_;
  const Callback on_wake_, on_end_;
  bool closed_ = false;  // JS thread
  size_t place_ = 0;     // in the set; JS thread
  bool sent_ = false;    // the set's mutex
};

}  // namespace limiquantix
