#include "sampler/link_watch_win32.h"

#include <utility>

#include "sampler/link_listener_win32.h"

namespace limiquantix {

LinkWatch::LinkWatch(void* owner, OnChange on_change, OnClosed on_closed)
    : owner_(owner), on_change_(on_change), on_closed_(on_closed) {}

Result<LinkWatch*> LinkWatch::Start(uv_loop_t* loop, std::shared_ptr<AdapterList> list, void* owner,
                                    OnChange on_change, OnClosed on_closed) {
  std::unique_ptr<LinkWatch> watch(new LinkWatch(owner, on_change, on_closed));
  const auto on_async = [](uv_async_t* handle) {
    const LinkWatch* const self = static_cast<LinkWatch*>(handle->data);
    self->on_change_(self->owner_);  // may close the watch
  };
  if (const int error = uv_async_init(loop, &watch->async_, on_async); error != 0) {
    return SysError{-error, "uv_async_init"};
  }
  watch->async_.data = watch.get();
  uv_unref(reinterpret_cast<uv_handle_t*>(&watch->async_));
  Result<std::shared_ptr<LinkListener>> listener =
      LinkListener::Start(std::move(list), &watch->async_);
  if (!listener.ok()) {
    const auto forget = [](uv_handle_t* handle) { delete static_cast<LinkWatch*>(handle->data); };
    uv_close(reinterpret_cast<uv_handle_t*>(&watch.release()->async_), forget);
    return listener.error();
  }
  watch->listener_ = std::move(listener.value());
  return watch.release();
}

void LinkWatch::Close() {
  listener_->Stop();
  uv_close(reinterpret_cast<uv_handle_t*>(&async_), [](uv_handle_t* handle) {
    LinkWatch* const watch = static_cast<LinkWatch*>(handle->data);
    const OnClosed on_closed = watch->on_closed_;
    void* const owner = watch->owner_;
    delete watch;
    on_closed(owner);
  });
}

}  // namespace limiquantix
