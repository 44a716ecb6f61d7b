#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

namespace limiquantix {

/// A new pseudo terminal.
struct Pty {
  UniqueFd master;  ///< non-blocking
  char path[64];    ///< of the other end
};

Result<Pty> OpenPty();

}  // namespace limiquantix
