#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>

#include "process/limits_linux.h"
#include "process/spawn_request_linux.h"

namespace limiquantix {

/// What parent and child tell each other, in memory that both see. No pipe is needed for that: the
/// parent goes on only when the child has called execve or ended.
struct ExecReport {
  std::atomic<pid_t> pid;     ///< by the kernel, before the child runs; 0 before and when reaped
  std::atomic<bool> aborted;  ///< by the parent: do not start
  SpawnError error;           ///< by the child
  bool in_cgroup;             ///< by the child, or when it was born in it
  size_t file;                ///< by the child: which of the files it has executed
};

/// All that the child needs, made before it: it must not allocate.
struct ExecPlan {
  char* const* files;  ///< tried in turn
  char* const* args;
  char* const* environment;
  const char* working_directory;
  const Identity* identity;  ///< null: as this process
  int stdio[3];              ///< all above 2
  bool is_terminal;          ///< make descriptor 0 the controlling terminal
  int cgroup_procs;          ///< -1: none
  int suid_dumpable;         ///< the setting; -1 where there is no /proc
  CommandLimits limits;
  rlim_t descriptor_limit;  ///< descriptors are below it
  bool as_old_kernel;       ///< without close_range
  ExecReport* report;
};

/// The child's main function: `plan` is an ExecPlan. Never returns. It may share all memory with
/// the parent, so it calls nothing but the kernel. All signals are blocked when it starts.
int ExecChild(void* plan);

}  // namespace limiquantix
