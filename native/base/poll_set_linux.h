#pragma once

#include <node_api.h>
#include <uv.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace limiquantix {

class Poller;

/// The epoll set that all pollers of an environment share, watched by Node's event loop for as long
/// as there is one in it. A set for each would cost eight system calls more for each descriptor.
///
/// All methods: JS thread only. It keeps itself alive until libuv has let go of its handle.
class PollSet : public std::enable_shared_from_this<PollSet> {
 public:
  /// The environment's own; made when there is none.
  static Result<std::shared_ptr<PollSet>> Of(napi_env env);
  ~PollSet();

  /// Reports the edges of `fd` to `poller`, which lives until Remove. Returns 0 or an errno.
  int Add(int fd, uint32_t interest, std::shared_ptr<Poller> poller, uint64_t* id);
  int Change(int fd, uint32_t interest, uint64_t id);
  /// `fd` must still be open. The last one closes the set.
  void Remove(int fd, uint64_t id);

 private:
  explicit PollSet(napi_env env) : env_(env) {}
  int Watch();
  void Close();
  static void OnReady(uv_poll_t* handle, int status, int events);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data);

  struct Place {
    std::shared_ptr<Poller> poller;
    uint32_t uses = 0;
  };
  /// The place that an id stands for; null when it is another one's by now, or nobody's.
  Place* Find(uint64_t id);

  const napi_env env_;
  UniqueFd epoll_;
  std::vector<Place> places_;  ///< an id is an index, and above that how often it had been used
  std::vector<uint32_t> free_;
  uv_poll_t* handle_ = nullptr;  // freed in its uv_close callback
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  std::shared_ptr<PollSet> self_;  // set while libuv holds handle_
};

}  // namespace limiquantix
