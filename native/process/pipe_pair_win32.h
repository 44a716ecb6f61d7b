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

/// A pipe that takes 64 KiB without a reader, as Linux has it.
Result<PipePair> CreatePipePair(PipeDirection direction, bool inheritable);

}  // namespace limiquantix
