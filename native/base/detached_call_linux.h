#pragma once

#include <napi.h>

#include <atomic>
#include <functional>
#include <memory>

namespace limiquantix {

/// What came of a call: an errno or 0, and then its value.
struct CallResult {
  int error = 0;
  double value = 0;
};

/// One kind of call that may never come back, as when a disk is gone.
struct CallKind {
  const char* name;  ///< of errors: "syncfs"
  const char* thread;
  std::shared_ptr<std::atomic<int>> under_way;  ///< counts the threads
  int most;                                     ///< of those; more are refused with EAGAIN
};

/// Makes `call` with a descriptor of its own for what `fd` has open, in a detached thread. Gives a
/// promise of its value, or rejects with its error.
Napi::Value StartDetachedCall(Napi::Env env, const CallKind& kind, int fd,
                              std::function<CallResult(int fd)> call);

/// The descriptor that an argument is, or -1, and then an exception is pending.
int DescriptorArgument(Napi::Env env, const Napi::Value& argument);

}  // namespace limiquantix
