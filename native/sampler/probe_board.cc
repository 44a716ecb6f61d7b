#include "sampler/probe_board.h"

#include <cerrno>
#include <cstddef>
#include <utility>

#include "base/detached_thread.h"
#include "base/lock.h"

namespace limiquantix {
namespace {

// glibc takes thread-local storage out of the stack too, so this is not as generous as it looks.
constexpr size_t kStackBytes = 256 * 1024;

}  // namespace

std::shared_ptr<ProbeBoard> ProbeBoard::Create(uv_async_t* wake) {
  return std::shared_ptr<ProbeBoard>(new ProbeBoard(wake));
}

ProbeBoard::ProbeBoard(uv_async_t* wake) : wake_(wake) {
  uv_mutex_init(&mutex_);
  uv_cond_init(&changed_);
}

ProbeBoard::~ProbeBoard() {
  uv_cond_destroy(&changed_);
  uv_mutex_destroy(&mutex_);
}

int ProbeBoard::Submit(std::vector<std::shared_ptr<Probe>>* probes) {
  Lock lock(&mutex_);
  std::vector<std::shared_ptr<Probe>> queued;
  for (std::shared_ptr<Probe>& probe : *probes) {
    probe->answered_ = false;
    if (probe->state_ == Probe::State::kIdle && MayBeRisked(*probe)) {
      queued.push_back(std::move(probe));
    }
  }
  *probes = std::move(queued);
  if (probes->empty()) return 0;
  if (thread_ == nullptr) {
    if (int error = StartThread(); error != 0) {
      probes->clear();
      return error;
    }
  }
  for (const std::shared_ptr<Probe>& probe : *probes) {
    probe->state_ = Probe::State::kQueued;
    queue_.push_back(probe);
  }
  uv_cond_signal(&changed_);
  return 0;
}

void ProbeBoard::Withdraw() {
  Lock lock(&mutex_);
  EmptyQueue(false);
}

bool ProbeBoard::AreIdle(const std::vector<std::shared_ptr<Probe>>& probes) {
  Lock lock(&mutex_);
  for (const std::shared_ptr<Probe>& probe : probes) {
    if (probe->state_ != Probe::State::kIdle) return false;
  }
  return true;
}

bool ProbeBoard::HasAnswered(const Probe& probe) {
  Lock lock(&mutex_);
  return probe.state_ == Probe::State::kIdle && probe.answered_;
}

uint64_t ProbeBoard::RunningSince(const Probe& probe) {
  Lock lock(&mutex_);
  return probe.state_ == Probe::State::kRunning ? probe.started_at_ : 0;
}

uint64_t ProbeBoard::AbandonStuck(uint64_t started_before) {
  Lock lock(&mutex_);
  if (thread_ == nullptr || thread_->current == nullptr) return 0;
  const uint64_t started_at = thread_->current->started_at_;
  if (started_at > started_before) return started_at;
  thread_->abandoned = true;
  thread_.reset();
  ++stuck_;
  // What still waits may be as dead. What has answered by now is proven, and asked the next time.
  if (stuck_ >= kMaxStuck) EmptyQueue(true);
  if (!queue_.empty() && MayBeRisked(*queue_.front())) StartThread();
  return 0;
}

void ProbeBoard::Detach() {
  Lock lock(&mutex_);
  wake_ = nullptr;
  queue_.clear();
  uv_cond_broadcast(&changed_);
}

bool ProbeBoard::MayBeRisked(const Probe& probe) const {
  return stuck_ < kMaxStuck + static_cast<int>(probe.trust);
}

void ProbeBoard::EmptyQueue(bool keep_essential) {
  std::vector<std::shared_ptr<Probe>> kept;
  for (std::shared_ptr<Probe>& probe : queue_) {
    if (keep_essential && probe->trust == Trust::kEssential) {
      kept.push_back(std::move(probe));
    } else {
      probe->state_ = Probe::State::kIdle;
    }
  }
  queue_ = std::move(kept);
}

int ProbeBoard::StartThread() {
  std::shared_ptr<Thread> thread(new Thread);
  const auto body = [board = shared_from_this(), thread] { board->Work(thread); };
  if (int error = StartDetachedThread("lqx-sampler", kStackBytes, body); error != 0) return error;
  thread_ = std::move(thread);
  return 0;
}

void ProbeBoard::Work(const std::shared_ptr<Thread>& thread) {
  Lock lock(&mutex_);
  while (wake_ != nullptr && !thread->abandoned) {
    if (queue_.empty()) {
      uv_cond_wait(&changed_, &mutex_);
      continue;
    }
    thread->current = std::move(queue_.front());
    queue_.erase(queue_.begin());
    thread->current->state_ = Probe::State::kRunning;
    thread->current->started_at_ = uv_hrtime();
    uv_mutex_unlock(&mutex_);
    thread->current->Run();
    uv_mutex_lock(&mutex_);
    thread->current->state_ = Probe::State::kIdle;
    thread->current->answered_ = true;
    thread->current.reset();
    if (queue_.empty() || thread->abandoned) Wake();
  }
  if (thread->abandoned) --stuck_;
}

/// The mutex keeps the handle from being closed meanwhile.
void ProbeBoard::Wake() {
  if (wake_ != nullptr) uv_async_send(wake_);
}

}  // namespace limiquantix
