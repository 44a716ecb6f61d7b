#pragma once

#include <uv.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

namespace limiquantix {

/// Detached threads for work that is short nearly always but may get stuck for ever. Work never
/// waits for other work: it has a thread that waits for some, or a new one, which costs ten times
/// as much. Threads that have nothing to do end after a few seconds.
class ThreadPool : public std::enable_shared_from_this<ThreadPool> {
 public:
  /// As StartDetachedThread has them.
  ThreadPool(const char* name, size_t stack_bytes);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Returns 0 or an errno; then `body` will not be run. It must own what it uses.
  int Run(std::function<void()> body);
  /// Threads that wait end at once, the others when their work is done.
  void Close();

 private:
  void Work(std::function<void()> body);
  bool AwaitWork(std::function<void()>* body);

  const char* const name_;
  const size_t stack_bytes_, most_waiting_;
  uv_mutex_t mutex_;
  uv_cond_t changed_;
  std::deque<std::function<void()>> queue_;  // never longer than there are threads that wait
  size_t waiting_ = 0;
  bool closed_ = false;
};

}  // namespace limiquantix
