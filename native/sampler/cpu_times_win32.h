#pragma once

#include <cstdint>
#include <vector>

#include "sampler/sample.h"

namespace limiquantix {

/// What a CPU has done since the machine started, in units of 100 ns.
struct CpuTimes {
  uint64_t busy = 0, idle = 0;
};

struct AllCpuTimes {
  CpuTimes all;
  std::vector<CpuTimes> cores;  ///< of all processor groups, in their order
};

/// Fills `out`, whose memory is used again; without cores where the system does not tell of those.
Result<bool> ReadCpuTimes(AllCpuTimes* out);

/// The share of time, 0..100, that was not idle between two readings; 0 when no time passed. A
/// counter that went backwards counts as standing still.
double BusyPercent(const CpuTimes& before, const CpuTimes& after);

}  // namespace limiquantix
