#include "process/limits_linux.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace limiquantix {
namespace {

// select(2) cannot handle more.
constexpr rlim_t kDescriptors = 1024;
// The kernel's own default, _STK_LIM.
constexpr rlim_t kStackBytes = 8 * 1024 * 1024;

constexpr int kUnlimited[] = {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA,  RLIMIT_AS,
                              RLIMIT_RSS, RLIMIT_LOCKS, RLIMIT_RTTIME};
constexpr int kNone[] = {RLIMIT_NICE, RLIMIT_RTPRIO};
// The kernel computes these from the machine's memory when it starts process 1.
constexpr int kOfProcess1[] = {RLIMIT_NPROC, RLIMIT_SIGPENDING, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE};

// The C libraries do not agree on the type of a resource, and some are about to lose rlimit64.
static_assert(sizeof(rlim_t) == 8);
long PrLimit(pid_t pid, int resource, const rlimit* wanted, rlimit* before) {
  return ::syscall(SYS_prlimit64, pid, resource, wanted, before);
}

}  // namespace

CommandLimits::CommandLimits() {
  for (const int resource : kUnlimited) Want(resource, {RLIM_INFINITY, RLIM_INFINITY});
  for (const int resource : kNone) Want(resource, {0, 0});
  for (const int resource : kOfProcess1) {
    rlimit first;
    if (PrLimit(1, resource, nullptr, &first) == 0) Want(resource, first);
  }
  const auto want_soft = [this](int resource, rlim_t soft) {
    rlimit own;
    if (PrLimit(0, resource, nullptr, &own) == 0) {
      Want(resource, {std::min(soft, own.rlim_max), own.rlim_max});
    }
  };
  want_soft(RLIMIT_NOFILE, kDescriptors);
  want_soft(RLIMIT_STACK, kStackBytes);
  want_soft(RLIMIT_CORE, 0);
}

void CommandLimits::Want(int resource, rlimit wanted) {
  rlimit own;
  if (PrLimit(0, resource, nullptr, &own) != 0) return;
  if (own.rlim_cur == wanted.rlim_cur && own.rlim_max == wanted.rlim_max) return;
  if (wanted.rlim_max > own.rlim_max) {
    const rlimit possible{std::min(wanted.rlim_cur, own.rlim_max), own.rlim_max};
    changes_[count_++] = {resource, possible};
  }
  changes_[count_++] = {resource, wanted};
}

void CommandLimits::Apply() const {
  for (int i = 0; i < count_; ++i) PrLimit(0, changes_[i].resource, &changes_[i].value, nullptr);
}

}  // namespace limiquantix
