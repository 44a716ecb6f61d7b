#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sampler/cpu_times_win32.h"
#include "sampler/sample.h"

namespace limiquantix {

/// What Windows tells without ever blocking: CPU, memory, page files, uptime, processes. There are
/// no load averages: they are 0.
class SystemCounters {
 public:
  /// Takes the first reading, which percentages are relative to.
  SystemCounters();

  /// Fills in what can be read; gives the first failure. Percentages are those since the previous
  /// reading, or, asked again within 100 ms, repeated.
  std::optional<SourceError> Read(Sample* sample);

 private:
  std::optional<SysError> ReadCpu(Sample* sample);
  Result<uint32_t> CountProcesses();

  AllCpuTimes before_, now_;
  CpuUsage usage_;
  uint64_t period_began_at_;  // ns
  bool measured_ = false;
  std::vector<unsigned long> process_ids_;
};

}  // namespace limiquantix
