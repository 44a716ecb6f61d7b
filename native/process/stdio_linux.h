#pragma once

#include "base/unique_fd.h"
#include "process/spawn_request_linux.h"

namespace limiquantix {

/// The command's descriptors 0, 1 and 2, and the ends that stay here.
struct Stdio {
  UniqueFd theirs[3];  ///< what becomes 0, 1, 2; all above 2
  UniqueFd ours[3];    ///< the other ends of pipes; non-blocking
  UniqueFd master;     ///< of the terminal; non-blocking
  char pty_path[64];

  SpawnError Open(const SpawnRequest& request);

 private:
  SpawnError OpenTerminal(const SpawnRequest& request);
  SpawnError OpenPipe(int index, const Identity* identity);
};

}  // namespace limiquantix
