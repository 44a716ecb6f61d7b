#pragma once

#include "base/result.h"
#include "base/unique_handle_win32.h"

namespace limiquantix {

struct PipePair {
  UniqueHandle ours;  ///< overlapped
  UniqueHandle
      theirs;  ///< for a child: without overlapped I/O, inheritable when that was asked for
};

enum class PipeDirection {
  kToUs,
  kToThem  ///< ours can be read too: that ends when nobody reads what we write any more
};

/// A pipe that takes 64 KiB from us without a reader, and 256 KiB to us.
Result<PipePair> CreatePipePair(PipeDirection direction, bool inheritable);

}  // namespace limiquantix
