#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>

#include "base/poll_set_linux.h"
#include "base/result.h"

namespace limiquantix {

/// Edge-triggered readiness of one descriptor on Node's event loop.
///
/// A virtio port whose host is away is readable and hung up for ever; watched level-triggered, as
/// uv_poll does, it costs 51,000 wake-ups a second. So the descriptor sits edge-triggered in an
/// epoll set, and uv_poll watches that set.
///
/// All methods: JS thread only. The set keeps the poller alive until it is closed.
class Poller : public std::enable_shared_from_this<Poller> {
 public:
  /// `events` is the epoll mask of the edge (EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR).
  using Callback = void (*)(void* owner, uint32_t events);

  /// Does not take `fd`, which must stay open until Close().
  static Result<std::shared_ptr<Poller>> Start(napi_env env, int fd, uint32_t interest, void* owner,
                                               Callback callback);

  /// Changes the interest; reports at once what is ready already. Returns 0 or an errno.
  int SetInterest(uint32_t interest);

  /// Idempotent. The callback never runs afterwards. Also done when the environment ends.
  void Close();

  /// For the set.
  void Report(uint32_t events);

 private:
  Poller(int fd, void* owner, Callback callback);

  const int fd_;
  void* owner_;  // null once closed
  const Callback callback_;
  std::shared_ptr<PollSet> set_;  // null once closed
  uint64_t id_ = 0;
};

}  // namespace limiquantix
