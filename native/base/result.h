#pragma once

#include <cassert>
#include <new>
#include <utility>

namespace limiquantix {

/// A failed system call: its errno, captured at once, and its name.
struct SysError {
  int code;             ///< a positive errno value
  const char* syscall;  ///< static string, e.g. "open"
#ifdef _WIN32
  unsigned long windows = 0;  ///< what GetLastError() said; 0 where nothing did
#endif
};

/// Either a value or the SysError that prevented it. Exceptions are off: they must not unwind
/// through libuv callbacks or a forked child.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : ok_(true) { new (&value_) T(std::move(value)); }  // NOLINT: implicit
  Result(SysError error) : ok_(false), error_(error) {}               // NOLINT: implicit
  Result(Result&& other) noexcept : ok_(other.ok_) {
    if (ok_) {
      new (&value_) T(std::move(other.value_));
    } else {
      error_ = other.error_;
    }
  }
  Result& operator=(Result&&) = delete;
  ~Result() {
    if (ok_) value_.~T();
  }

  bool ok() const { return ok_; }
  T& value() {
    assert(ok_);
    return value_;
  }
  const SysError& error() const {
    assert(!ok_);
    return error_;
  }

 private:
  bool ok_;
  union {
    T value_;
    SysError error_;
  };
};

}  // namespace limiquantix
