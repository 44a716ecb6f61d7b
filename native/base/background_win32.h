#pragma once

#include <napi.h>

#include <functional>

#include "base/result.h"

namespace limiquantix {

/// Work that blocks, on a thread of Windows' pool, for a promise.
class Background {
 public:
  using Work = std::function<void()>;
  using Finish = std::function<Result<Napi::Value>(Napi::Env env)>;

  /// JS thread. `work` runs elsewhere, `finish` on the JS thread afterwards, unless the environment
  /// has ended; what they share is theirs.
  static Napi::Value Start(Napi::Env env, Work work, Finish finish);

  /// Any thread. Returns false when Windows is out of memory: then it does not run.
  static bool Run(Work work);
};

}  // namespace limiquantix
