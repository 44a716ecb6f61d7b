#pragma once

#include "port/ring.h"

namespace limiquantix {

/// Bytes that have come, of the host that is there or has just gone, and of the one after it, whose
/// bytes may come before it is known to be there.
class Inbox {
 public:
  /// With `waits`, no host has been there yet.
  Inbox(size_t capacity, bool waits) : ring_(capacity), marked_(waits) {}

  char* Space(size_t* bytes) { return ring_.Space(bytes); }
  /// True when there was nothing before of who they are from.
  bool Add(size_t bytes) {
    const bool first = ring_.used() == mark_;
    ring_.Add(bytes);
    return first;
  }
  /// There are bytes of the next host.
  bool HasNext() const { return ring_.used() > mark_; }
  void Forget() {
    ring_.Truncate(0);
    mark_ = 0;
  }

  /// What comes now is the next host's.
  void HostWent() {
    if (marked_) {
      ring_.Truncate(mark_);  // of one that has come and gone without having been told of
    } else {
      mark_ = ring_.used();
    }
    marked_ = true;
  }
  /// The next host is told of now: what the last one left is forgotten.
  void NextHost() {
    if (marked_) ring_.Remove(mark_);
    marked_ = false;
    mark_ = 0;
  }

  /// Bytes that may be read now.
  size_t Readable() const { return marked_ ? mark_ : ring_.used(); }
  bool IsFull() const { return ring_.free() == 0; }
  /// All that there is may have been read, and the host has gone.
  bool AtMark() const { return marked_ && mark_ == 0; }

  size_t Take(char* to, size_t most) {
    const size_t taken = ring_.Take(to, std::min(most, Readable()));
    if (marked_) mark_ -= taken;
    return taken;
  }

 private:
  Ring ring_;
  bool marked_;
  size_t mark_ = 0;
};

}  // namespace limiquantix
