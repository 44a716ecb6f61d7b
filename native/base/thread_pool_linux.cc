#include "base/thread_pool_linux.h"

#include <utility>

#include "base/detached_thread.h"
#include "base/lock.h"

namespace limiquantix {
namespace {

// As many commands as start at a time: see src/agent/commands/command.ts.
constexpr size_t kWaitingPerCpu = 4;
constexpr uint64_t kWaitNs = 5ull * 1000 * 1000 * 1000;

}  // namespace

ThreadPool::ThreadPool(const char* name, size_t stack_bytes)
    : name_(name),
      stack_bytes_(stack_bytes),
      most_waiting_(kWaitingPerCpu * uv_available_parallelism()) {
  uv_mutex_init(&mutex_);
  uv_cond_init(&changed_);
}

ThreadPool::~ThreadPool() {
  uv_cond_destroy(&changed_);
  uv_mutex_destroy(&mutex_);
}

int ThreadPool::Run(std::function<void()> body) {
  {
    Lock lock(&mutex_);
    if (waiting_ > queue_.size()) {
      queue_.push_back(std::move(body));
      uv_cond_signal(&changed_);
      return 0;
    }
  }
  return StartDetachedThread(
      name_, stack_bytes_,
      [pool = shared_from_this(), body = std::move(body)] { pool->Work(body); });
}

void ThreadPool::Close() {
  Lock lock(&mutex_);
  closed_ = true;
  uv_cond_broadcast(&changed_);
}

void ThreadPool::Work(std::function<void()> body) {
  do {
    body();
    body = nullptr;  // what it owns is let go of here and not while waiting
  } while (AwaitWork(&body));
}

/// False when there is none: then the thread ends.
bool ThreadPool::AwaitWork(std::function<void()>* body) {
  Lock lock(&mutex_);
  if (closed_ || waiting_ >= most_waiting_) return false;
  ++waiting_;
  int result = 0;
  while (queue_.empty() && !closed_ && result == 0) {
    result = uv_cond_timedwait(&changed_, &mutex_, kWaitNs);
  }
  --waiting_;
  if (queue_.empty()) return false;
  *body = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

}  // namespace limiquantix
