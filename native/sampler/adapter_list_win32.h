#pragma once

#include <uv.h>

#include <optional>
#include <vector>

#include "sampler/adapters_win32.h"

namespace limiquantix {

/// The interfaces as they were when Windows last told of a change; nothing while nobody listens to
/// that. Any thread.
class AdapterList {
 public:
  AdapterList() { uv_mutex_init(&mutex_); }
  ~AdapterList() { uv_mutex_destroy(&mutex_); }
  AdapterList(const AdapterList&) = delete;
  AdapterList& operator=(const AdapterList&) = delete;

  std::optional<std::vector<LinkEntry>> Get();
  void Set(std::optional<std::vector<LinkEntry>> adapters);

 private:
  uv_mutex_t mutex_;
  std::optional<std::vector<LinkEntry>> adapters_;
};

}  // namespace limiquantix
