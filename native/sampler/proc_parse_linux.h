#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sampler/sample.h"

// Pure functions over the text of /proc files. They accept any bytes: what does not parse is left
// out, and the whole is absent when what it is for is missing.

namespace limiquantix {

/// Takes text apart from its front. Nothing is read past the end, nothing is copied.
class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : text_(text) {}

  bool AtEnd() const { return text_.empty(); }
  /// The text up to the next '\n' or the end.
  std::string_view Line() { return Until('\n'); }
  /// The next run of characters other than blanks; empty at the end.
  std::string_view Word();
  std::string_view Until(char separator);
  /// The rest, with leading blanks removed.
  std::string_view Rest();

 private:
  std::string_view text_;
};

/// Decimal digits and nothing else. Values past 2^64-1 are absent.
std::optional<uint64_t> ParseUnsigned(std::string_view text);
/// "12.34": what strtod would give, for at most 15 digits in all.
std::optional<double> ParseDecimal(std::string_view text);

/// Clock ticks of one line of /proc/stat.
struct CpuTicks {
  // user, nice, system, idle, iowait, irq, softirq, steal. What follows, guest and guest_nice, is
  // counted in user and nice already.
  static constexpr int kCount = 8;
  static constexpr int kIdle = 3, kIowait = 4;
  uint64_t values[kCount] = {};
};

struct CpuCounters {
  struct Core {
    uint32_t index;
    CpuTicks ticks;
  };
  CpuTicks all;
  std::vector<Core> cores;  ///< those online, in the kernel's order
};

/// Fills `out`, whose memory is used again. False without the line of all CPUs.
bool ParseStat(std::string_view text, CpuCounters* out);
std::optional<MemoryUsage> ParseMeminfo(std::string_view text);
std::optional<LoadAverages> ParseLoadavg(std::string_view text);
std::optional<double> ParseUptime(std::string_view text);
std::optional<Stall> ParsePressure(std::string_view text);

struct DiskCounters {
  uint32_t major, minor;
  std::string_view name;  ///< within the text
  uint64_t reads, sectors_read, writes, sectors_written;
  uint32_t busy_ms;  ///< the kernel's own counter is 32 bits wide: it wraps after 49 days
};

/// Every line of /proc/diskstats, partitions included.
void ParseDiskstats(std::string_view text, std::vector<DiskCounters>* out);

/// The share of time, 0..100, that was not idle between two readings; absent when no time passed. A
/// counter that went backwards, as idle and iowait may, counts as standing still.
std::optional<double> BusyPercent(const CpuTicks& before, const CpuTicks& after);

/// Process ids in a buffer of getdents64 records of /proc.
uint32_t CountProcesses(std::string_view records);

}  // namespace limiquantix
