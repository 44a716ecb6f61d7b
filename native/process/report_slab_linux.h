#pragma once

#include <uv.h>

#include <memory>
#include <vector>

#include "process/exec_linux.h"

namespace limiquantix {

/// Places for reports, in memory that is shared with children even when they have a copy of all
/// other. It is mapped page by page and used again: to map and unmap it for each child would make
/// all CPUs that run this process look up their pages anew. Any thread.
class ReportSlab : public std::enable_shared_from_this<ReportSlab> {
 public:
  ReportSlab();
  ~ReportSlab();
  ReportSlab(const ReportSlab&) = delete;
  ReportSlab& operator=(const ReportSlab&) = delete;

  /// A new report, which gives its place back and keeps this alive; null when there is no memory.
  std::shared_ptr<ExecReport> Take();

 private:
  bool Grow();

  uv_mutex_t mutex_;
  std::vector<void*> pages_, free_;
};

}  // namespace limiquantix
