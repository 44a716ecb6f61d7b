#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

namespace limiquantix {

/// A queue of bytes of a fixed size. What is written to it goes where `Space` points, in one piece.
class Ring {
 public:
  explicit Ring(size_t capacity) : capacity_(capacity), bytes_(new char[capacity]) {}

  size_t capacity() const { return capacity_; }
  size_t used() const { return used_; }
  size_t free() const { return capacity_ - used_; }

  /// The free bytes that follow the used ones, up to the end of the memory.
  char* Space(size_t* count) {
    const size_t end = (first_ + used_) % capacity_;
    *count = used_ == capacity_ ? 0 : end >= first_ ? capacity_ - end : first_ - end;
    return bytes_.get() + end;
  }
  void Add(size_t count) { used_ += count; }

  /// The oldest bytes, as far as they are in one piece.
  const char* Data(size_t* count) const {
    *count = std::min(used_, capacity_ - first_);
    return bytes_.get() + first_;
  }
  void Remove(size_t count) {
    first_ = (first_ + count) % capacity_;
    used_ -= count;
  }

  /// Forgets the newest bytes, but not the oldest `count`.
  void Truncate(size_t count) { used_ = std::min(used_, count); }

  /// Copies in as many as there is room for.
  size_t Put(const char* from, size_t count) {
    size_t done = 0;
    while (done < count) {
      size_t room;
      char* const to = Space(&room);
      if (room == 0) break;
      const size_t part = std::min(room, count - done);
      std::memcpy(to, from + done, part);
      Add(part);
      done += part;
    }
    return done;
  }

  /// Copies out, and removes, at most `count`.
  size_t Take(char* to, size_t count) {
    size_t done = 0;
    while (done < count && used_ > 0) {
      size_t there;
      const char* const from = Data(&there);
      const size_t part = std::min(there, count - done);
      std::memcpy(to + done, from, part);
      Remove(part);
      done += part;
    }
    return done;
  }

 private:
  const size_t capacity_;
  const std::unique_ptr<char[]> bytes_;
  size_t first_ = 0, used_ = 0;
};

}  // namespace limiquantix
