#include "sampler/system_counters_win32.h"

#include <uv.h>
#include <windows.h>
//
#include <psapi.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/error_win32.h"

namespace limiquantix {
namespace {

// Six of the clock ticks in which CPU time is counted: less tells nothing of a percentage.
constexpr uint64_t kMinPeriodNs = 100 * 1000 * 1000;
constexpr size_t kFewProcesses = 512;
constexpr size_t kMostProcesses = 1024 * 1024;

struct PageFiles {
  uint64_t total_pages = 0, used_pages = 0;
};

BOOL CALLBACK AddPageFile(void* context, ENUM_PAGE_FILE_INFORMATION* file, const wchar_t*) {
  auto* const files = static_cast<PageFiles*>(context);
  files->total_pages += file->TotalSize;
  files->used_pages += file->TotalInUse;
  return TRUE;
}

Result<MemoryUsage> ReadMemory() {
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof status;
  if (GlobalMemoryStatusEx(&status) == 0) return LastError("GlobalMemoryStatusEx");
  MemoryUsage memory;
  memory.total_bytes = status.ullTotalPhys;
  memory.available_bytes = std::min(status.ullAvailPhys, status.ullTotalPhys);
  PageFiles files;
  if (K32EnumPageFilesW(AddPageFile, &files) != 0) {
    SYSTEM_INFO system{};
    GetSystemInfo(&system);
    memory.swap_total_bytes = files.total_pages * system.dwPageSize;
    memory.swap_free_bytes =
        (files.total_pages - std::min(files.used_pages, files.total_pages)) * system.dwPageSize;
    return memory;
  }
  // Both are the sum of memory and page files: what may be promised, and what has not been yet.
  const auto less = [](uint64_t a, uint64_t b) { return a > b ? a - b : 0; };
  memory.swap_total_bytes = less(status.ullTotalPageFile, status.ullTotalPhys);
  memory.swap_free_bytes = std::min<uint64_t>(less(status.ullAvailPageFile, status.ullAvailPhys),
                                              memory.swap_total_bytes);
  return memory;
}

}  // namespace

SystemCounters::SystemCounters() : period_began_at_(uv_hrtime()) {
  if (!ReadCpuTimes(&before_).ok()) before_ = AllCpuTimes{};
}

std::optional<SourceError> SystemCounters::Read(Sample* sample) {
  std::optional<SourceError> failure;
  const auto note = [&failure](const SysError& error) {
    if (!failure) failure = SourceError{error, ""};
  };
  if (const std::optional<SysError> error = ReadCpu(sample)) note(*error);
  Result<MemoryUsage> memory = ReadMemory();
  if (memory.ok()) {
    sample->memory = memory.value();
  } else {
    note(memory.error());
  }
  sample->load = LoadAverages{{0, 0, 0}};
  sample->uptime_seconds = static_cast<double>(GetTickCount64() / 10) / 100;
  Result<uint32_t> processes = CountProcesses();
  if (processes.ok()) {
    sample->process_count = processes.value();
  } else {
    note(processes.error());
  }
  return failure;
}

std::optional<SysError> SystemCounters::ReadCpu(Sample* sample) {
  const uint64_t now = uv_hrtime();
  const bool ends = now - period_began_at_ >= kMinPeriodNs;
  Result<bool> read = ReadCpuTimes(&now_);
  if (!read.ok()) return read.error();
  // The first reading may come soon after the sampler was made, but there is nothing to repeat.
  if (ends || !measured_) {
    usage_.percent = BusyPercent(before_.all, now_.all);
    usage_.cores.clear();
    for (size_t i = 0; i < now_.cores.size(); ++i) {
      // A CPU that has just been plugged in starts here.
      const double percent =
          i < before_.cores.size() ? BusyPercent(before_.cores[i], now_.cores[i]) : 0.0;
      usage_.cores.push_back({static_cast<uint32_t>(i), percent});
    }
  }
  if (ends) {
    std::swap(before_, now_);
    period_began_at_ = now;
    measured_ = true;
  }
  sample->cpu = usage_;
  return std::nullopt;
}

/// All but the idle one, which has the id 0. It cannot be told how many there are but by having
/// room for them.
Result<uint32_t> SystemCounters::CountProcesses() {
  if (process_ids_.empty()) process_ids_.resize(kFewProcesses);
  for (;;) {
    const auto bytes = static_cast<DWORD>(process_ids_.size() * sizeof process_ids_[0]);
    DWORD filled = 0;
    if (K32EnumProcesses(process_ids_.data(), bytes, &filled) == 0) {
      return LastError("EnumProcesses");
    }
    if (filled < bytes || process_ids_.size() >= kMostProcesses) {
      const auto end = process_ids_.begin() + filled / sizeof process_ids_[0];
      return static_cast<uint32_t>(
          std::count_if(process_ids_.begin(), end, [](unsigned long id) { return id != 0; }));
    }
    process_ids_.resize(process_ids_.size() * 2);
  }
}

}  // namespace limiquantix
