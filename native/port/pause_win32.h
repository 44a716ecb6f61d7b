#pragma once

#include <windows.h>

#include <algorithm>
#include <cstdint>

namespace limiquantix {

/// When something that has failed is tried again: after pauses that double.
class Pause {
 public:
  constexpr Pause(uint32_t first_ms, uint32_t most_ms) : first_(first_ms), most_(most_ms) {}

  void Reset() { pause_ = at_ = 0; }
  /// Nothing is to be tried; the next pause is as long as it would have been.
  void Clear() { at_ = 0; }
  void Grow() {
    pause_ = std::min<ULONGLONG>(std::max<ULONGLONG>(2 * pause_, first_), most_);
    at_ = GetTickCount64() + pause_;
  }
  /// Not a failure, but once more after so long.
  void Set(uint32_t milliseconds) { at_ = GetTickCount64() + milliseconds; }
  bool IsSet() const { return at_ != 0; }
  bool IsOver() const { return GetTickCount64() >= at_; }
  ULONGLONG at() const { return at_; }

 private:
  const uint32_t first_, most_;
  ULONGLONG pause_ = 0, at_ = 0;
};

}  // namespace limiquantix
