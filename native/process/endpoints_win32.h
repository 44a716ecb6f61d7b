#pragma once

#include <unordered_map>

#include "base/unique_handle_win32.h"

namespace limiquantix {

/// Our side of a command's streams.
struct Endpoint {
  UniqueHandle input;   ///< what the command prints
  UniqueHandle output;  ///< what it reads
  bool terminal = false;
};

/// Endpoints that JavaScript has been told of and nobody has opened yet, by the numbers that stand
/// for them: what descriptors are on Linux. JS thread.
class Endpoints {
 public:
  int Add(Endpoint endpoint) {
    endpoints_.emplace(next_, std::move(endpoint));
    return next_++;
  }
  /// False when there is none with that number.
  bool Take(int number, Endpoint* endpoint) {
    const auto found = endpoints_.find(number);
    if (found == endpoints_.end()) return false;
    *endpoint = std::move(found->second);
    endpoints_.erase(found);
    return true;
  }

 private:
  std::unordered_map<int, Endpoint> endpoints_;
  int next_ = 1;
};

}  // namespace limiquantix
