#include "base/wake.h"

#include <utility>

namespace limiquantix {

Wake::Wake(std::shared_ptr<WakeSet> set, void* owner, Callback on_wake, Callback on_end)
    : set_(std::move(set)), owner_(owner), on_wake_(on_wake), on_end_(on_end) {}

Result<std::shared_ptr<Wake>> Wake::Create(napi_env env, void* owner, Callback on_wake,
                                           Callback on_end) {
  Result<std::shared_ptr<WakeSet>> set = WakeSet::Of(env);
  if (!set.ok()) return set.error();
  std::shared_ptr<Wake> wake(new Wake(set.value(), owner, on_wake, on_end));
  set.value()->Add(wake);
  return wake;
}

void Wake::Send() { set_->Send(shared_from_this()); }

void Wake::Close() {
  if (closed_) return;
  closed_ = true;
  set_->Remove(shared_from_this());
}

}  // namespace limiquantix
