#include "sampler/probe_board_linux.h"

#include <signal.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstddef>
#include <utility>

namespace limiquantix {
namespace {

// glibc takes thread-local storage out of the stack too, so this is not as generous as it looks.
constexpr size_t kStackBytes = 256 * 1024;

class Lock {
 public:
  explicit Lock(uv_mutex_t* mutex) : mutex_(mutex) { uv_mutex_lock(mutex_); }
  ~Lock() { uv_mutex_unlock(mutex_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  uv_mutex_t* mutex_;
};

/// libuv can detach threads only since 1.50 (Node 24), and pthread_detach linked directly would
/// need glibc 2.34; so it is looked up by name. Without it an ended thread's stack is kept.
void DetachThread(uv_thread_t thread) {
  uv_lib_t process;
  if (uv_dlopen(nullptr, &process) == 0) {
    void* address = nullptr;
    if (uv_dlsym(&process, "pthread_detach", &address) == 0) {
      reinterpret_cast<int (*)(uv_thread_t)>(address)(thread);
    }
  }
  uv_dlclose(&process);
}

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
  thread->board = shared_from_this();
  auto* argument = new std::shared_ptr<Thread>(thread);
  uv_thread_options_t options{};
  options.flags = UV_THREAD_HAS_STACK_SIZE;
  options.stack_size = kStackBytes;
  uv_thread_t id;
  if (int error = uv_thread_create_ex(&id, &options, ThreadMain, argument); error != 0) {
    delete argument;
    thread->board.reset();
    return -error;
  }
  DetachThread(id);
  thread_ = std::move(thread);
  return 0;
}

void ProbeBoard::ThreadMain(void* argument) {
  // Signals are for Node's own threads, and must not interrupt the calls made here.
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  prctl(PR_SET_NAME, "lqx-sampler");
  auto* given = static_cast<std::shared_ptr<Thread>*>(argument);
  const std::shared_ptr<Thread> thread = std::move(*given);
  delete given;
  const std::shared_ptr<ProbeBoard> board = std::move(thread->board);
  board->Work(thread);
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
