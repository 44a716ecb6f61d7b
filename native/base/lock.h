#pragma once

#include <uv.h>

namespace limiquantix {

/// Holds a uv_mutex_t for as long as it lives.
class Lock {
 public:
  explicit Lock(uv_mutex_t* mutex) : mutex_(mutex) { uv_mutex_lock(mutex_); }
  ~Lock() { uv_mutex_unlock(mutex_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  uv_mutex_t* mutex_;
};

}  // namespace limiquantix
