#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sampler/proc_parse_linux.h"
#include "sampler/sample.h"

namespace limiquantix {

/// A file of /proc that stays open and is read again from its start.
class ProcFile {
 public:
  explicit ProcFile(const char* path);

  /// The whole content, within `buffer`, which grows as needed.
  Result<std::string_view> Read(std::vector<char>* buffer) const;
  const char* path() const { return path_; }
  int fd() const { return fd_.get(); }

 private:
  const char* path_;
  UniqueFd fd_;
  int open_error_ = 0;
};

/// What /proc tells without ever blocking: CPU, memory, load, uptime, processes, disk I/O,
/// pressure.
class ProcFiles {
 public:
  /// Opens the files and takes the first reading, which percentages are relative to.
  ProcFiles();

  /// Fills in what can be read; gives the first failure of a file that every kernel has.
  /// Percentages are those since the previous reading, or, asked again within 100 ms, repeated.
  std::optional<SourceError> Read(Sample* sample);

 private:
  struct Disk {
    uint32_t major, minor;
    std::string name;
    bool whole;        // not a partition
    uint32_t busy_ms;  // when last measured
    double busy_percent;
    bool seen;
  };

  std::optional<std::string_view> Text(const ProcFile& file, std::optional<SourceError>* failure);
  /// The time since the counters that percentages are relative to.
  struct Period {
    double ms;
    bool measure;  // percentages are worth computing
    bool ends;     // the next one starts here
  };

  void ReadCpu(std::string_view text, const Period& period, Sample* sample);
  std::vector<DiskIo> ReadDisks(std::string_view text, const Period& period);
  Disk* FindDisk(const DiskCounters& counters);
  std::optional<Stall> Pressure(const ProcFile& file);
  std::optional<uint32_t> Processes(std::optional<SourceError>* failure);

  const ProcFile stat_, meminfo_, loadavg_, uptime_, diskstats_;
  const ProcFile cpu_pressure_, memory_pressure_, io_pressure_;
  const ProcFile proc_;  // the directory
  std::vector<char> buffer_;

  uint64_t period_began_at_;  // ns
  bool measured_ = false;     // over a whole period
  CpuCounters before_, now_;
  CpuUsage usage_;
  std::vector<DiskCounters> counters_;
  std::vector<Disk> disks_;
};

}  // namespace limiquantix
