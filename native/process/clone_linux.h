#pragma once

#include <sys/types.h>

#include "base/unique_fd.h"
#include "process/exec_linux.h"

namespace limiquantix {

/// fs.suid_dumpable, for ExecPlan: to open it each time would cost as much as all other calls that
/// prepare a command.
UniqueFd OpenSuidDumpable();

/// Makes a process that does what `plan` says, with vfork's semantics: this thread stands still
/// until the child has called execve or ended. With a `cgroup` folder that is not -1 it is born in
/// there where the kernel can do that, and then `pidfd` is set too; plan->report tells. Gives the
/// pid, or -1 and errno.
pid_t CloneForExec(ExecPlan* plan, int cgroup, UniqueFd* pidfd);

}  // namespace limiquantix
