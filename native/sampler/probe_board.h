#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace limiquantix {

/// How far a probe may be relied on not to get stuck.
enum class Trust {
  kUnproven,
  kProven,    ///< it answered when it was last asked
  kEssential  ///< what a report should not be without
};

/// A system call that may block for ever, such as statfs on a dead mount, with room for its result.
class Probe {
 public:
  explicit Probe(Trust initial_trust) : trust(initial_trust) {}
  virtual ~Probe() = default;

  Trust trust;  ///< JS thread only

 private:
  friend class ProbeBoard;
  enum class State { kIdle, kQueued, kRunning };

  /// On a probe thread. The probe's fields are that thread's alone from now until the board says
  /// that the probe is idle again.
  virtual void Run() = 0;

  // The board's mutex:
  State state_ = State::kIdle;
  bool answered_ = false;  // since it was last submitted
  uint64_t started_at_ = 0;
};

/// Runs probes one after the other on one thread, which starts with the first of them. A thread
/// that got stuck is abandoned to its probe and replaced; when the call comes back after all, the
/// probe becomes idle and the thread ends. With kMaxStuck threads stuck only proven and essential
/// probes are run, with one more only essential ones, with two more none.
///
/// Threads share the board and are never waited for; see StartDetachedThread.
class ProbeBoard : public std::enable_shared_from_this<ProbeBoard> {
 public:
  static constexpr int kMaxStuck = 4;

  /// `wake` is sent when the last queued probe is done, and when an abandoned one comes back.
  static std::shared_ptr<ProbeBoard> Create(uv_async_t* wake);
  ~ProbeBoard();

  // JS thread:

  /// Queues those that are idle and may be risked, and takes the others off the list. Returns 0 or
  /// the errno that kept a thread from being started; then nothing is queued.
  int Submit(std::vector<std::shared_ptr<Probe>>* probes);
  /// Takes back what has not been started.
  void Withdraw();
  /// Whether none is queued or in a thread's hands.
  bool AreIdle(const std::vector<std::shared_ptr<Probe>>& probes);
  /// Whether the probe has run since it was last submitted, and is idle again.
  bool HasAnswered(const Probe& probe);
  /// When the probe's Run began, in uv_hrtime's nanoseconds; 0 when it is not running.
  uint64_t RunningSince(const Probe& probe);
  /// Gives up a thread that has been with one probe since before `started_before`, and puts another
  /// in its place. Returns when the probe under way was started, or 0.
  uint64_t AbandonStuck(uint64_t started_before);
  /// No wake is sent afterwards, nothing new is run, idle threads end.
  void Detach();

 private:
  struct Thread {
    std::shared_ptr<Probe> current;
    bool abandoned = false;
  };

  explicit ProbeBoard(uv_async_t* wake);
  void Work(const std::shared_ptr<Thread>& thread);
  // With the mutex held:
  int StartThread();
  void EmptyQueue(bool keep_essential);
  bool MayBeRisked(const Probe& probe) const;
  void Wake();

  uv_mutex_t mutex_;
  uv_cond_t changed_;
  uv_async_t* wake_;  // null once detached
  std::vector<std::shared_ptr<Probe>> queue_;
  std::shared_ptr<Thread> thread_;  // the one that takes from the queue
  int stuck_ = 0;
};

}  // namespace limiquantix
