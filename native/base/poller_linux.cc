#include "base/poller_linux.h"

#include <sys/epoll.h>

#include <cerrno>

namespace limiquantix {

Poller::Poller(int fd, void* owner, Callback callback)
    : fd_(fd), owner_(owner), callback_(callback) {}

Poller::~Poller() = default;

Result<std::shared_ptr<Poller>> Poller::Start(napi_env env, int fd, uint32_t interest, void* owner,
                                              Callback callback) {
  std::shared_ptr<Poller> poller(new Poller(fd, owner, callback));
  poller->epoll_.Reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!poller->epoll_) return SysError{errno, "epoll_create1"};

  epoll_event event{};
  event.events = interest | EPOLLET;
  if (::epoll_ctl(poller->epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return SysError{errno, "epoll_ctl"};
  }

  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return SysError{EINVAL, "uv_loop"};
  poller->handle_ = new uv_poll_t;
  if (int error = uv_poll_init(loop, poller->handle_, poller->epoll_.get()); error != 0) {
    delete poller->handle_;  // never initialised, so nothing to uv_close
    poller->handle_ = nullptr;
    return SysError{-error, "uv_poll_init"};
  }
  poller->handle_->data = poller.get();
  poller->self_ = poller;
  if (int error = uv_poll_start(poller->handle_, UV_READABLE, OnReady); error != 0) {
    poller->Close();
    return SysError{-error, "uv_poll_start"};
  }
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, poller.get(), &poller->cleanup_);
  return poller;
}

int Poller::SetInterest(uint32_t interest) {
  if (!epoll_) return EBADF;
  epoll_event event{};
  event.events = interest | EPOLLET;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd_, &event) == 0 ? 0 : errno;
}

void Poller::Close() {
  owner_ = nullptr;
  if (handle_ == nullptr) return;
  uv_poll_t* handle = handle_;
  handle_ = nullptr;
  uv_poll_stop(handle);
  epoll_.Reset();
  uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) {
    Poller* poller = static_cast<Poller*>(closed->data);
    delete reinterpret_cast<uv_poll_t*>(closed);
    // The environment waits for this before it goes on tearing itself down.
    if (poller->cleanup_ != nullptr) napi_remove_async_cleanup_hook(poller->cleanup_);
    std::shared_ptr<Poller> last = std::move(poller->self_);
  });
}

void Poller::OnReady(uv_poll_t* handle, int /*status*/, int /*events*/) {
  Poller* poller = static_cast<Poller*>(handle->data);
  epoll_event event{};
  int ready;
  do {
    ready = ::epoll_wait(poller->epoll_.get(), &event, 1, 0);
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0 || poller->owner_ == nullptr) return;
  poller->callback_(poller->owner_, event.events);
}

void Poller::OnEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data) {
  Poller* poller = static_cast<Poller*>(data);
  if (poller->handle_ == nullptr) return;  // uv_close is under way and removes the hook
  poller->cleanup_ = handle;
  poller->Close();
}

}  // namespace limiquantix
