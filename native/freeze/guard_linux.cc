#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "base/detached_call_linux.h"
#include "base/detached_thread.h"
#include "base/napi_error.h"
#include "base/unique_fd.h"
#include "freeze/freeze.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

namespace limiquantix {
namespace {

constexpr size_t kSignalSetBytes = 8;
constexpr size_t kMaxDescriptors = 256;
constexpr int kMaxSeconds = 3600;
constexpr size_t kReaperStackBytes = 64 * 1024;

/// What the agent writes: all is frozen, and all is well.
constexpr char kFrozen = 'f';
constexpr char kRelease = 'r';

/// The guard's. `kept` is sorted.
struct Plan {
  int pipe;
  const int* frozen;
  size_t frozen_count;
  const int* kept;
  size_t kept_count;
  int freezing_seconds;
  int frozen_seconds;
};

void CloseRange(unsigned first, unsigned last) {
  if (first > last || ::syscall(SYS_close_range, first, last, 0) == 0) return;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  for (unsigned fd = first; fd <= last && fd < limit.rlim_cur; ++fd) ::close(static_cast<int>(fd));
}

/// Above all the agent's port, which nobody else can open meanwhile, and the pipe's other end.
void CloseAllBut(const int* kept, size_t count) {
  unsigned next = 0;
  for (size_t i = 0; i < count; ++i) {
    const unsigned fd = static_cast<unsigned>(kept[i]);
    if (fd > next) CloseRange(next, fd - 1);
    next = fd + 1;
  }
  CloseRange(next, ~0U);
}

/// Best effort: it is the last to go when memory is short.
void BeSpared() {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t count = ::write(fd, "-1000", 5);
  ::close(fd);
}

int64_t NowMs() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

/// Whether all is well; false at the deadline, or when the agent has gone without a word.
bool Released(const Plan& plan) {
  int64_t deadline = NowMs() + int64_t{plan.freezing_seconds} * 1000;
  for (;;) {
    const int64_t left = deadline - NowMs();
    if (left <= 0) return false;
    pollfd entry{plan.pipe, POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left));
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    char word = 0;
    const ssize_t count = ready < 0 ? -1 : ::read(plan.pipe, &word, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    if (word == kRelease) return true;
    if (word == kFrozen) deadline = NowMs() + int64_t{plan.frozen_seconds} * 1000;
  }
}

/// A process with a copy of the agent's memory, of which only this thread goes on: nothing that
/// takes a lock or memory may be called. It reads nothing from a disk but pages of its code, and
/// writes to none. Its signals are blocked, so only SIGKILL ends it early.
[[noreturn]] void Guard(const Plan& plan) {
  ::setsid();
  CloseAllBut(plan.kept, plan.kept_count);
  ::prctl(PR_SET_NAME, "lqx-guard");
  BeSpared();
  if (!Released(plan)) {
    // Last frozen, last thawed: what stands on another file system waits for that one.
    for (size_t i = plan.frozen_count; i > 0; --i) ::ioctl(plan.frozen[i - 1], FITHAW, 0);
  }
  ::_exit(0);
}

/// Like fork, without what the C library does around it: of the locks that it takes one may be
/// held up. SIGCHLD is Node's, so its end is told to none but a thread that waits for it.
pid_t CloneGuard(const Plan& plan) {
  const uint64_t all = ~uint64_t{0};
  uint64_t before = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, kSignalSetBytes);
  const long pid = ::syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) Guard(plan);
  const int error = errno;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, kSignalSetBytes);
  errno = error;
  return static_cast<pid_t>(pid);
}

void Reap(pid_t pid) {
  while (::waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

Result<UniqueFd> StartGuard(const std::vector<int>& frozen, int freezing_seconds,
                            int frozen_seconds) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return SysError{errno, "pipe2"};
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  std::vector<int> kept(frozen);
  kept.push_back(reading.get());
  std::sort(kept.begin(), kept.end());
  const Plan plan{reading.get(), frozen.data(),    frozen.size(), kept.data(),
                  kept.size(),   freezing_seconds, frozen_seconds};
  const pid_t pid = CloneGuard(plan);
  if (pid < 0) return SysError{errno, "clone"};
  // Without a thread it stays a zombie until we end, which harms nobody.
  StartDetachedThread("lqx-reap", kReaperStackBytes, [pid] { Reap(pid); });
  return writing;
}

/// 0 for what is none.
int Seconds(const Napi::Value& argument) {
  const double seconds = argument.IsNumber() ? argument.As<Napi::Number>().DoubleValue() : 0;
  return seconds >= 1 && seconds <= kMaxSeconds ? static_cast<int>(seconds) : 0;
}

Napi::Value GuardFreeze(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int freezing_seconds = Seconds(info[1]);
  const int frozen_seconds = Seconds(info[2]);
  if (!info[0].IsArray() || freezing_seconds == 0 || frozen_seconds == 0) {
    Napi::TypeError::New(env, "descriptors, and twice 1 to 3600 seconds, are needed")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const Napi::Array list = info[0].As<Napi::Array>();
  std::vector<int> frozen;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const int fd = DescriptorArgument(env, list.Get(i));
    if (fd < 0) return env.Undefined();
    frozen.push_back(fd);
  }
  if (frozen.size() > kMaxDescriptors) {
    Napi::RangeError::New(env, "more than 256 descriptors").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  Result<UniqueFd> pipe = StartGuard(frozen, freezing_seconds, frozen_seconds);
  if (!pipe.ok()) {
    NodeError(env, pipe.error()).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  return Napi::Number::New(env, pipe.value().Release());
}

}  // namespace

void RegisterGuard(Napi::Env env, Napi::Object exports) {
  exports.Set("guardFreeze", Napi::Function::New<GuardFreeze>(env, "guardFreeze"));
}

}  // namespace limiquantix
