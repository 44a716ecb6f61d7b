#include "base/wake_set.h"

#include <napi.h>

#include <cerrno>
#include <utility>

#include "base/callback.h"
#include "base/instance_data.h"
#include "base/lock.h"
#include "base/wake.h"

namespace limiquantix {

WakeSet::WakeSet(napi_env env) : env_(env) { uv_mutex_init(&mutex_); }

WakeSet::~WakeSet() { uv_mutex_destroy(&mutex_); }

Result<std::shared_ptr<WakeSet>> WakeSet::Of(napi_env env) {
  std::shared_ptr<WakeSet>& own = Napi::Env(env).GetInstanceData<InstanceData>()->wake_set;
  if (own) return own;
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return SysError{EINVAL, "uv_loop"};
  std::shared_ptr<WakeSet> set(new WakeSet(env));
  if (const int error = uv_async_init(loop, &set->async_, OnSent); error != 0) {
    return SysError{-error, "uv_async_init"};
  }
  set->async_.data = set.get();
  set->self_ = set;
  uv_unref(reinterpret_cast<uv_handle_t*>(&set->async_));
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, set.get(), &set->cleanup_);
  own = set;
  return set;
}

void WakeSet::Add(std::shared_ptr<Wake> wake) {
  if (wakes_.empty()) uv_ref(reinterpret_cast<uv_handle_t*>(&async_));
  wake->place_ = wakes_.size();
  wakes_.push_back(std::move(wake));
}

void WakeSet::Remove(const std::shared_ptr<Wake>& wake) {
  const size_t place = wake->place_;
  if (place >= wakes_.size() || wakes_[place] != wake) return;  // the environment has ended
  wakes_.back()->place_ = place;
  wakes_[place] = std::move(wakes_.back());
  wakes_.pop_back();
  if (wakes_.empty()) uv_unref(reinterpret_cast<uv_handle_t*>(&async_));
}

void WakeSet::Send(std::shared_ptr<Wake> wake) {
  Lock lock(&mutex_);
  if (closed_ || wake->sent_) return;
  wake->sent_ = true;
  sent_.push_back(std::move(wake));
  if (sent_.size() == 1) uv_async_send(&async_);
}

void WakeSet::OnSent(uv_async_t* handle) {
  const std::shared_ptr<WakeSet> set = static_cast<WakeSet*>(handle->data)->shared_from_this();
  std::vector<std::shared_ptr<Wake>> sent;
  {
    Lock lock(&set->mutex_);
    sent.swap(set->sent_);
    for (const std::shared_ptr<Wake>& wake : sent) wake->sent_ = false;
  }
  const Turn turn(set->env_);
  for (const std::shared_ptr<Wake>& wake : sent) {
    if (!wake->closed_) wake->on_wake_(wake->owner_);
  }
}

void WakeSet::Close() {
  {
    Lock lock(&mutex_);
    closed_ = true;
    sent_.clear();
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&async_), [](uv_handle_t* closed) {
    WakeSet* const set = static_cast<WakeSet*>(closed->data);
    // The environment waits for this before it goes on tearing itself down.
    napi_remove_async_cleanup_hook(set->cleanup_);
    const std::shared_ptr<WakeSet> last = std::move(set->self_);
  });
}

void WakeSet::OnEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data) {
  WakeSet* const set = static_cast<WakeSet*>(data);
  set->cleanup_ = handle;
  const auto wakes = std::exchange(set->wakes_, {});
  set->Close();
  for (const std::shared_ptr<Wake>& wake : wakes) {
    if (wake->closed_) continue;
    wake->closed_ = true;
    wake->on_end_(wake->owner_);
  }
}

}  // namespace limiquantix
