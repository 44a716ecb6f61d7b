#pragma once

#include <uv.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/thread_pool_linux.h"
#include "base/unique_fd.h"
#include "base/wake.h"
#include "process/cgroup_linux.h"
#include "process/exec_linux.h"
#include "process/spawn_request_linux.h"
#include "process/stdio_linux.h"

namespace limiquantix {

struct ExitStatus {
  int code;    ///< 0 when a signal ended it
  int signal;  ///< 0 when it exited
};

/// A child process from its birth to its reaping. It alone reaps, so while it holds a pid nobody
/// else can have got it. A child is always reaped, and never waited for on the JS thread.
///
/// It is started on a thread of its own, because the child shares the parent's memory until execve
/// (which makes it cheap in a large process) and the parent's thread is held up meanwhile: for as
/// long as the user that the child has become likes, who may stop it.
class Child : public std::enable_shared_from_this<Child> {
 public:
  enum class State {
    kStarting,
    kFailed,   ///< see error()
    kRunning,  ///< or ended already, when there is a pidfd to see it by
    kEnded     ///< told only when there is no pidfd
  };

  /// `report` may be null: then it does not start.
  Child(SpawnRequest request, std::shared_ptr<ExecReport> report,
        std::shared_ptr<const UniqueFd> suid_dumpable);
  ~Child();

  // JS thread:

  /// Once. `wake` is sent when the state has changed. Returns 0 or an errno.
  int Start(std::shared_ptr<Wake> wake, ThreadPool* threads);
  State state();
  const SpawnError& error() const { return error_; }  ///< kFailed; its path is ours

  // kRunning and kEnded:
  pid_t pid() const { return report_->pid; }
  const std::string& file() const { return request_.files[report_->file]; }
  /// Empty when it is in none of those that were offered.
  std::string cgroup() const;
  /// Readable when the child has ended; -1 where the kernel has none.
  int pidfd() const { return pidfd_.get(); }
  const Stdio& stdio() const { return stdio_; }
  std::optional<ExitStatus> Ended() const;
  /// Returns 0 or an errno; ESRCH when the child has ended, or no process of its group is left.
  int Signal(int signal) const;
  int SignalGroup(int signal) const;

  /// Somebody has learned of it: it lives without us from now on, and what stdio() tells is theirs.
  void HandOver();
  /// Idempotent. Reaps it as soon as it ends. One that has not been handed over is killed.
  void Release();

 private:
  void Run();           // the thread
  SpawnError Launch();  // clone and execve
  void Fail(SpawnError error);
  void AwaitEnd() const;
  void Reap();
  void KillUnlessHandedOver() const;

  const SpawnRequest request_;
  std::vector<char*> files_, args_, environment_;
  const std::shared_ptr<ExecReport> report_;
  const std::shared_ptr<const UniqueFd> suid_dumpable_;
  std::shared_ptr<Wake> wake_;

  // The thread's until the state has changed:
  Stdio stdio_;
  CgroupFolder cgroup_;
  UniqueFd pidfd_;
  SpawnError error_;

  uv_mutex_t mutex_;
  State state_ = State::kStarting;
  bool released_ = false;
  bool handed_over_ = false;  // JS thread
};

}  // namespace limiquantix
