#include "process/clone_linux.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace limiquantix {
namespace {

// Inside the thread's.
constexpr size_t kChildStackBytes = 32 * 1024;
constexpr size_t kSignalSetBytes = 8;

static_assert(sizeof(std::atomic<pid_t>) == sizeof(pid_t), "the kernel writes it");

/// When the child becomes another user, the kernel makes the memory that we share with it
/// undumpable, so that this user cannot trace the child and with it change the daemon. With
/// fs.suid_dumpable = 1 it does not; then the child gets a copy. (For the same reason nobody may
/// set this process's PR_SET_DUMPABLE again afterwards: another child may be under way.)
bool MayShareMemory(int setting) {
  char value = '0';
  return ::pread(setting, &value, 1, 0) != 1 || value != '1';
}

/// All signals blocked while it lives, also the two that the C library keeps for itself: a handler
/// of Node's must not run in a child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    const uint64_t all = ~uint64_t{0};
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, kSignalSetBytes);
  }
  ~SignalsBlocked() {
    const int error = errno;
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, kSignalSetBytes);
    errno = error;
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  uint64_t before_;
};

/// struct clone_args up to cgroup, which headers before Linux 5.7 do not have.
struct CloneArguments {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
      set_tid_size, cgroup;
};
constexpr uint64_t kCloneIntoCgroup = 0x200000000;
constexpr uint64_t kClonePidfd = 0x1000;
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

/// The child goes on from here, below this frame on the same stack; the parent's thread stands
/// still until it has called execve or ended. The C library's syscall() would not do: its return
/// address would be on the stack that the child overwrites. Gives a pid or a negative errno.
__attribute__((noinline)) long VforkWith(CloneArguments* arguments, ExecPlan* plan) {
#if defined(__x86_64__)
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "0"(static_cast<long>(SYS_clone3)), "D"(arguments), "S"(sizeof *arguments)
               : "rcx", "r11", "memory");
#elif defined(__aarch64__)
  register long number asm("x8") = SYS_clone3;
  register long result asm("x0") = reinterpret_cast<long>(arguments);
  register long bytes asm("x1") = sizeof *arguments;
  asm volatile("svc 0" : "+r"(result) : "r"(number), "r"(bytes) : "memory");
#else
  const long result = -ENOSYS;
#endif
  if (result == 0) ExecChild(plan);  // does not return
  return result;
}

}  // namespace

UniqueFd OpenSuidDumpable() {
  return UniqueFd(::open("/proc/sys/fs/suid_dumpable", O_RDONLY | O_CLOEXEC));
}

pid_t CloneForExec(ExecPlan* plan, int cgroup, UniqueFd* pidfd) {
  const SignalsBlocked blocked;
  auto* const pid = reinterpret_cast<pid_t*>(&plan->report->pid);
  const int flags =
      (MayShareMemory(plan->suid_dumpable) ? CLONE_VM : 0) | CLONE_VFORK | CLONE_PARENT_SETTID;
  if (cgroup >= 0) {
    // Born in the cgroup. Who moves to one makes the kernel wait for all its CPUs: tens of
    // milliseconds where that was not done lately.
    int born_pidfd = -1;
    CloneArguments arguments{};
    arguments.flags = static_cast<uint64_t>(flags) | kCloneIntoCgroup | kClonePidfd;
    arguments.pidfd = reinterpret_cast<uint64_t>(&born_pidfd);
    arguments.parent_tid = reinterpret_cast<uint64_t>(pid);
    arguments.exit_signal = SIGCHLD;
    arguments.cgroup = static_cast<uint64_t>(cgroup);
    plan->report->in_cgroup = true;
    if (const long result = VforkWith(&arguments, plan); result > 0) {
      pidfd->Reset(born_pidfd);  // and close-on-exec
      return static_cast<pid_t>(result);
    }
    plan->report->in_cgroup = false;  // an old kernel, or a sandbox that does not know the call
  }
  alignas(16) char stack[kChildStackBytes];
  return ::clone(ExecChild, stack + sizeof stack, flags | SIGCHLD, plan, pid);
}

}  // namespace limiquantix
