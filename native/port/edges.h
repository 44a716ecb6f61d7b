#pragma once

#include <cstdint>

namespace limiquantix {

/// Bits of the mask that a port's callback gets; see src/native/port.ts.
constexpr uint32_t kReadable = 1, kWritable = 2, kHangup = 4, kError = 8;

/// What JavaScript is to be told, in this order.
struct Edges {
  uint32_t here = 0;    ///< of the host that is there
  bool hangup = false;  ///< it has gone
  uint32_t next = 0;    ///< of the one that came after it
};

/// Edges that JavaScript has not been told of: a host that has gone, and what the next one brings,
/// are never one edge. A host that came and went meanwhile has not been there.
class EdgeQueue {
 public:
  void Tell(uint32_t mask) { (edges_.hangup ? edges_.next : edges_.here) |= mask; }
  void TellHangup() {
    edges_.hangup = true;
    edges_.next = 0;
  }
  Edges Take() {
    const Edges taken = edges_;
    edges_ = {};
    return taken;
  }

 private:
  Edges edges_;
};

}  // namespace limiquantix
