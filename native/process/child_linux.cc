#include "process/child_linux.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/detached_thread.h"
#include "base/lock.h"
#include "process/clone_linux.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

namespace limiquantix {
namespace {

constexpr size_t kWaitStackBytes = 64 * 1024;

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

int Wait(pid_t pid, int options, siginfo_t* information) {
  int result;
  do {
    information->si_pid = 0;
    result = ::waitid(P_PID, static_cast<id_t>(pid), information, WEXITED | options);
  } while (result != 0 && errno == EINTR);
  return result;
}

}  // namespace

Child::Child(SpawnRequest request, std::shared_ptr<ExecReport> report,
             std::shared_ptr<const UniqueFd> suid_dumpable)
    : request_(std::move(request)),
      files_(Pointers(request_.files)),
      args_(Pointers(request_.args)),
      environment_(Pointers(request_.environment)),
      report_(std::move(report)),
      suid_dumpable_(std::move(suid_dumpable)) {
  uv_mutex_init(&mutex_);
}

Child::~Child() { uv_mutex_destroy(&mutex_); }

int Child::Start(std::shared_ptr<Wake> wake, ThreadPool* threads) {
  if (report_ == nullptr) return ENOMEM;
  wake_ = std::move(wake);
  return threads->Run([child = shared_from_this()] { child->Run(); });
}

Child::State Child::state() {
  Lock lock(&mutex_);
  return state_;
}

void Child::Run() {
  const SpawnError error = Launch();
  bool released;
  {
    Lock lock(&mutex_);
    released = released_;
    error_ = error;
    if (!released) state_ = error.code != 0 ? State::kFailed : State::kRunning;
  }
  if (released) {
    stdio_ = Stdio{};
    if (error.code != 0) return;
    ::kill(-pid(), SIGKILL);
    AwaitEnd();
    Reap();
    return;
  }
  wake_->Send();
  if (error.code != 0 || pidfd_) return;

  AwaitEnd();
  {
    Lock lock(&mutex_);
    released = released_;
    state_ = State::kEnded;
  }
  if (released) {
    Reap();
  } else {
    wake_->Send();
  }
}

SpawnError Child::Launch() {
  if (SpawnError error = stdio_.Open(request_); error.code != 0) return error;
  cgroup_.Open(request_.cgroups);

  ExecPlan plan{};
  plan.files = files_.data();
  plan.args = args_.data();
  plan.environment = environment_.data();
  plan.working_directory = request_.working_directory.c_str();
  plan.identity = request_.identity.get();
  for (int i = 0; i < 3; ++i) plan.stdio[i] = stdio_.theirs[i].get();
  plan.is_terminal = request_.pty;
  plan.cgroup_procs = cgroup_.procs();
  plan.suid_dumpable = suid_dumpable_->get();
  plan.descriptor_limit = static_cast<rlim_t>(::sysconf(_SC_OPEN_MAX));
  plan.as_old_kernel = request_.as_old_kernel;
  plan.report = report_.get();

  const int cgroup = request_.as_old_kernel ? -1 : cgroup_.folder();
  const pid_t pid = CloneForExec(&plan, cgroup, &pidfd_);
  if (pid < 0) return {errno, "clone"};
  for (UniqueFd& end : stdio_.theirs) end.Reset();
  if (const SpawnError error = report_->error; error.code != 0) {
    AwaitEnd();
    Reap();
    return error;
  }
  if (!request_.as_old_kernel && !pidfd_) {
    pidfd_.Reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));  // and close-on-exec
  }
  return {};
}

std::string Child::cgroup() const { return report_->in_cgroup ? cgroup_.path() : std::string(); }

/// Blocks; the pid stays the child's.
void Child::AwaitEnd() const {
  siginfo_t information;
  Wait(pid(), WNOWAIT, &information);
}

/// Of a child that has ended. Nobody may kill the next process that gets this pid.
void Child::Reap() {
  Lock lock(&mutex_);
  siginfo_t information;
  Wait(report_->pid.exchange(0), WNOHANG, &information);
}

std::optional<ExitStatus> Child::Ended() const {
  siginfo_t information;
  if (Wait(pid(), WNOHANG | WNOWAIT, &information) != 0 || information.si_pid == 0) return {};
  if (information.si_code == CLD_EXITED) return ExitStatus{information.si_status, 0};
  return ExitStatus{0, information.si_status};
}

int Child::Signal(int signal) const {
  if (Ended()) return ESRCH;
  return ::kill(pid(), signal) == 0 ? 0 : errno;
}

int Child::SignalGroup(int signal) const { return ::kill(-pid(), signal) == 0 ? 0 : errno; }

void Child::HandOver() {
  handed_over_ = true;
  for (UniqueFd& end : stdio_.ours) end.Release();
  stdio_.master.Release();
  if (report_->in_cgroup) cgroup_.Keep();
}

/// It leads a group, since it has been executed.
void Child::KillUnlessHandedOver() const {
  if (!handed_over_) ::kill(-pid(), SIGKILL);
}

void Child::Release() {
  {
    Lock lock(&mutex_);
    if (released_) return;
    released_ = true;
    switch (state_) {
      case State::kStarting:
        // The thread may be held up in the clone; this lets it go. Either the child sees `aborted`
        // when it starts, or its pid is there already. The thread does the rest.
        report_->aborted = true;
        if (const pid_t pid = report_->pid; pid > 0) ::kill(pid, SIGKILL);
        return;
      case State::kFailed:
        return;
      case State::kRunning:
        KillUnlessHandedOver();
        if (!pidfd_) return;  // the thread waits for it
        break;
      case State::kEnded:
        KillUnlessHandedOver();
        break;
    }
  }
  const pid_t pid = report_->pid;
  siginfo_t information;
  if (Wait(pid, WNOHANG, &information) != 0 || information.si_pid != 0) return;
  StartDetachedThread("lqx-reap", kWaitStackBytes, [child = shared_from_this()] {
    child->AwaitEnd();
    child->Reap();
  });
}

}  // namespace limiquantix
