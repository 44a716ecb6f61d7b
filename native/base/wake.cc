#include "base/wake.h"

#include <cerrno>

#include "base/lock.h"

namespace limiquantix {

Wake::Wake(void* owner, Callback on_wake, Callback on_end)
    : owner_(owner), on_wake_(on_wake), on_end_(on_end) {
  uv_mutex_init(&mutex_);
}

Wake::~Wake() { uv_mutex_destroy(&mutex_); }

Result<std::shared_ptr<Wake>> Wake::Create(napi_env env, void* owner, Callback on_wake,
                                           Callback on_end) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return SysError{EINVAL, "uv_loop"};
  std::shared_ptr<Wake> wake(new Wake(owner, on_wake, on_end));
  if (int error = uv_async_init(loop, &wake->async_, OnWake); error != 0) {
    return SysError{-error, "uv_async_init"};
  }
  wake->async_.data = wake.get();
  wake->self_ = wake;
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, wake.get(), &wake->cleanup_);
  return wake;
}

void Wake::Send() {
  Lock lock(&mutex_);
  if (!closed_) uv_async_send(&async_);
}

void Wake::Close() {
  {
    Lock lock(&mutex_);
    if (closed_) return;
    closed_ = true;
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&async_), [](uv_handle_t* closed) {
    Wake* const wake = static_cast<Wake*>(closed->data);
    // The environment waits for this before it goes on tearing itself down.
    if (wake->cleanup_ != nullptr) napi_remove_async_cleanup_hook(wake->cleanup_);
    const std::shared_ptr<Wake> last = std::move(wake->self_);
  });
}

void Wake::OnWake(uv_async_t* handle) {
  Wake* const wake = static_cast<Wake*>(handle->data);
  if (!wake->closed_) wake->on_wake_(wake->owner_);
}

void Wake::OnEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data) {
  Wake* const wake = static_cast<Wake*>(data);
  if (wake->closed_) return;  // uv_close is under way and removes the hook
  wake->cleanup_ = handle;
  wake->Close();
  wake->on_end_(wake->owner_);
}

}  // namespace limiquantix
