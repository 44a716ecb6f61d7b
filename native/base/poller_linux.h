#pragma once

#include <node_api.h>
#include <uv.h>

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "base/unique_fd.h"

namespace limiquantix {

/// Edge-triggered readiness of one descriptor on Node's event loop.
///
/// A virtio port whose host is away is readable and hung up for ever; watched level-triggered, as
/// uv_poll does, it costs 51,000 wake-ups a second. So the descriptor sits edge-triggered in an
/// epoll set of its own, and uv_poll watches that set.
///
/// All methods: JS thread only. The poller keeps itself alive until libuv has let go of its handle.
class Poller : public std::enable_shared_from_this<Poller> {
 public:
  /// `events` is the epoll mask of the edge (EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR).
  using Callback = void (*)(void* owner, uint32_t events);

  /// Does not take `fd`, which must stay open until Close().
  static Result<std::shared_ptr<Poller>> Start(napi_env env, int fd, uint32_t interest, void* owner,
                                               Callback callback);
  ~Poller();

  /// Changes the interest; reports at once what is ready already. Returns 0 or an errno.
  int SetInterest(uint32_t interest);

  /// Idempotent. The callback never runs afterwards. Also done when the environment ends.
  void Close();

 private:
  Poller(int fd, void* owner, Callback callback);
  static void OnReady(uv_poll_t* handle, int status, int events);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data);

  UniqueFd epoll_;
  int fd_;
  void* owner_;
  Callback callback_;
  uv_poll_t* handle_ = nullptr;  // freed in its uv_close callback
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  std::shared_ptr<Poller> self_;  // set while libuv holds handle_
};

}  // namespace limiquantix
