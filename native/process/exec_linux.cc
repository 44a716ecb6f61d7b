#include "process/exec_linux.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

namespace limiquantix {
namespace {

static_assert(sizeof(long) == 8, "on 32 bits SYS_setgroups and the like take ids of 16 bits");

constexpr int kSignals = 64;
constexpr size_t kSignalSetBytes = kSignals / 8;

// Their default is to dump core, for which kernels before 5.16 end every process that shares the
// memory: this daemon too.
constexpr int kCoreSignals[] = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                                SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};

void EndQuietly(int) { ::syscall(SYS_kill, ::syscall(SYS_getpid), SIGKILL); }

/// The table of the child is its own copy. Handlers are reset by execve, ignored signals are not.
void ResetSignals() {
  const unsigned long defaults[8] = {};  // a struct sigaction as the kernel has it
  // The raw call, since the C library keeps two signals for itself.
  for (int signal = 1; signal <= kSignals; ++signal) {
    ::syscall(SYS_rt_sigaction, signal, defaults, nullptr, kSignalSetBytes);
  }
  struct sigaction quietly {};
  quietly.sa_handler = EndQuietly;
  for (const int signal : kCoreSignals) ::sigaction(signal, &quietly, nullptr);
}

void UnblockSignals() {
  const uint64_t none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kSignalSetBytes);
}

/// Best effort. A fresh process has the daemon's protection from the out-of-memory killer.
void ResetOomScore() {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t count = ::write(fd, "0", 1);
  ::close(fd);
}

int ParseNumber(const char* digits) {
  int value = 0;
  for (; *digits >= '0' && *digits <= '9'; ++digits) value = 10 * value + (*digits - '0');
  return *digits == '\0' ? value : -1;
}

struct KernelDirent {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[1];
};

/// Closes all but 0, 1 and 2 as far as /proc lists them; false when it does not.
bool CloseListed() {
  const int folder = ::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return false;
  alignas(KernelDirent) char entries[2048];
  long count;
  while ((count = ::syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0) {
    for (long at = 0; at < count;) {
      const auto* entry = reinterpret_cast<const KernelDirent*>(entries + at);
      const int fd = ParseNumber(entry->name);
      if (fd > STDERR_FILENO && fd != folder) ::close(fd);
      at += entry->length;
    }
  }
  ::close(folder);
  return count == 0;
}

/// All of ours are closed by execve anyway; but what this process inherited may not be.
void CloseDescriptors(const ExecPlan& plan) {
  if (!plan.as_old_kernel && ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0) return;
  if (CloseListed()) return;
  for (rlim_t fd = STDERR_FILENO + 1; fd < plan.descriptor_limit; ++fd) {
    ::close(static_cast<int>(fd));
  }
}

[[noreturn]] void Fail(const ExecPlan& plan, const char* step, const char* path = nullptr) {
  plan.report->error = {errno, step, path};
  ::_exit(127);
}

/// Not the C library's functions: those change every thread of the process whose memory this is.
void TakeIdentity(const ExecPlan& plan) {
  const Identity& identity = *plan.identity;
  if (::syscall(SYS_setgroups, identity.groups.size(), identity.groups.data()) != 0) {
    Fail(plan, "setgroups");
  }
  if (::syscall(SYS_setresgid, identity.gid, identity.gid, identity.gid) != 0) {
    Fail(plan, "setresgid");
  }
  if (::syscall(SYS_setresuid, identity.uid, identity.uid, identity.uid) != 0) {
    Fail(plan, "setresuid");
  }
}

/// One that is not there, or not for this user, leaves the turn to the next; if none is left, the
/// one that was there tells more.
[[noreturn]] void Execute(const ExecPlan& plan) {
  size_t denied = SIZE_MAX;
  for (size_t& i = plan.report->file; plan.files[i] != nullptr; ++i) {
    ::execve(plan.files[i], plan.args, plan.environment);
    if (errno == EACCES && denied == SIZE_MAX) denied = i;
    const bool is_last = plan.files[i + 1] == nullptr;
    if (is_last && denied != SIZE_MAX) {
      errno = EACCES;
      Fail(plan, "execve", plan.files[denied]);
    }
    if (is_last || (errno != ENOENT && errno != ENOTDIR && errno != EACCES)) {
      Fail(plan, "execve", plan.files[i]);
    }
  }
  ::_exit(127);  // there is at least one
}

}  // namespace

int ExecChild(void* argument) {
  const ExecPlan& plan = *static_cast<const ExecPlan*>(argument);
  // Whoever aborted before the pid was there to be killed.
  if (plan.report->aborted) ::_exit(127);
  ResetSignals();
  if (::setsid() < 0) Fail(plan, "setsid");
  if (plan.is_terminal && ::ioctl(plan.stdio[0], TIOCSCTTY, 0) != 0) Fail(plan, "ioctl");
  for (int i = 0; i < 3; ++i) {
    if (::dup2(plan.stdio[i], i) < 0) Fail(plan, "dup2");
  }
  if (!plan.report->in_cgroup) {
    plan.report->in_cgroup = plan.cgroup_procs >= 0 && ::write(plan.cgroup_procs, "0", 1) == 1;
  }
  ResetOomScore();
  plan.limits.Apply();
  ::setpriority(PRIO_PROCESS, 0, 0);
  ::umask(022);
  // Before the switch: the user may not list the descriptors of a process that was ours.
  CloseDescriptors(plan);
  if (plan.identity != nullptr) TakeIdentity(plan);
  if (::chdir(plan.working_directory) != 0) Fail(plan, "chdir", plan.working_directory);
  UnblockSignals();
  Execute(plan);
}

}  // namespace limiquantix
