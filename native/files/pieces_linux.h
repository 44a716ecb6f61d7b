#pragma once

#include <napi.h>
#include <sys/types.h>

#include <cstddef>
#include <string>

namespace limiquantix {

/// What a piece tells: the places of its numbers in the Float64Array that it is given.
enum Fact : size_t { kCount, kSize, kMode, kModifiedSeconds, kModifiedNanos, kFacts };

/// Bytes of an open file, by position, and the path that should lead to it.
struct PieceTarget {
  std::string path;
  int fd = -1;
  off_t offset = 0;
  char* data = nullptr;
  size_t bytes = 0;
};

/// From the arguments (fd, path, offset, data, facts); otherwise a TypeError is pending.
bool ReadTarget(const Napi::CallbackInfo& info, PieceTarget* target);

}  // namespace limiquantix
