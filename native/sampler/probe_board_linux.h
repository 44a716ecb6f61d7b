#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace limiquantix {

/// A system call that may block for ever, such as statfs on a dead mount, with room for its result.
class Probe {
 public:
  virtual ~Probe() = default;

 private:
  friend class ProbeBoard;
  enum class State { kIdle, kQueued, kRunning };

  /// On a probe thread. The probe's fields are that thread's alone from now until the board says
  /// that the probe is idle again.
  virtual void Run() = 0;

  State state_ = State::kIdle;  // with what follows: the board's mutex
  uint64_t started_at_ = 0;
};

/// Runs probes one after the other on one thread, which starts with the first of them. A thread
/// that got stuck is abandoned to its probe and replaced, up to a limit; when the call comes back
/// after all, the probe becomes idle and the thread ends.
///
/// Threads share the board and are never waited for: neither the end of the process nor that of a
/// worker's environment may depend on a dead mount. So the library must stay loaded (-z nodelete).
class ProbeBoard : public std::enable_shared_from_this<ProbeBoard> {
 public:
  /// Abandoned threads at one time; past that, a thread that gets stuck is not replaced.
  static constexpr int kMaxStuck = 4;

  /// `wake` is sent when the last queued probe is done, and when an abandoned one comes back.
  static std::shared_ptr<ProbeBoard> Create(uv_async_t* wake);
  ~ProbeBoard();

  // JS thread:

  /// Queues those that are idle. Returns 0 or the errno that kept a thread from being started;
  /// then nothing is queued.
  int Submit(const std::vector<std::shared_ptr<Probe>>& probes);
  /// Takes back what has not been started.
  void Withdraw();
  /// Whether the probe is neither queued nor in a thread's hands.
  bool IsIdle(const Probe& probe);
  bool AreIdle(const std::vector<std::shared_ptr<Probe>>& probes);
  /// When the probe's Run began, in uv_hrtime's nanoseconds; 0 when it is not running.
  uint64_t RunningSince(const Probe& probe);
  /// Whether as many threads are stuck as may be replaced: the next one to get stuck is the last.
  bool IsShortOfThreads();
  /// Gives up a thread that has been with one probe since before `started_before`, and puts another
  /// in its place. Returns when the probe under way was started, or 0.
  uint64_t AbandonStuck(uint64_t started_before);
  /// No wake is sent afterwards, nothing new is run, idle threads end.
  void Detach();

 private:
  struct Thread {
    std::shared_ptr<ProbeBoard> board;
    std::shared_ptr<Probe> current;
    bool abandoned = false;
  };

  explicit ProbeBoard(uv_async_t* wake);
  static void ThreadMain(void* argument);
  void Work(const std::shared_ptr<Thread>& thread);
  int StartThread();
  void Wake();

  uv_mutex_t mutex_;
  uv_cond_t changed_;
  uv_async_t* wake_;  // null once detached
  std::vector<std::shared_ptr<Probe>> queue_;
  std::shared_ptr<Thread> thread_;  // the one that takes from the queue
  int stuck_ = 0;
};

}  // namespace limiquantix
