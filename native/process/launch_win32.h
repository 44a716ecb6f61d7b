#pragma once

#include <windows.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "process/endpoints_win32.h"
#include "process/job_win32.h"
#include "process/pseudo_console_win32.h"
#include "process/spawn_request_win32.h"

namespace limiquantix {

/// A command that runs.
struct Launched {
  UniqueHandle process;
  DWORD pid = 0;
  Job job;
  std::wstring file;
  std::shared_ptr<PseudoConsole> console;
  Endpoint streams[3];  ///< stdin, stdout, stderr
  Endpoint terminal;
};

/// Starts it, in its job from the first instruction on. It waits for disks, scanners and the
/// account's server: not for the JS thread. `path` is what a failure is about.
Result<Launched> Launch(const SpawnRequest& request, std::wstring* path);

}  // namespace limiquantix
