#include "process/report_slab_linux.h"

#include <sys/mman.h>

#include <cstddef>
#include <new>

#include "base/lock.h"

namespace limiquantix {
namespace {

constexpr size_t kPageBytes = 4096;
// A line of the CPU's cache each: parent and child write to theirs at the same time as others.
constexpr size_t kPlaceBytes = 64;
static_assert(sizeof(ExecReport) <= kPlaceBytes);

}  // namespace

ReportSlab::ReportSlab() { uv_mutex_init(&mutex_); }

ReportSlab::~ReportSlab() {
  for (void* const page : pages_) ::munmap(page, kPageBytes);
  uv_mutex_destroy(&mutex_);
}

std::shared_ptr<ExecReport> ReportSlab::Take() {
  Lock lock(&mutex_);
  if (free_.empty() && !Grow()) return nullptr;
  ExecReport* const report = new (free_.back()) ExecReport{};
  free_.pop_back();
  return {report, [slab = shared_from_this()](ExecReport* given) {
            Lock lock(&slab->mutex_);
            slab->free_.push_back(given);
          }};
}

bool ReportSlab::Grow() {
  void* const page =
      ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  pages_.push_back(page);
  for (size_t at = 0; at < kPageBytes; at += kPlaceBytes) {
    free_.push_back(static_cast<char*>(page) + at);
  }
  return true;
}

}  // namespace limiquantix
