#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "sampler/sample.h"

namespace limiquantix {

/// An interface with its addresses; `facts` has no counters yet.
struct Adapter {
  uint64_t luid;
  Interface facts;
};

/// Every interface that has IP on it. It takes a millisecond or so.
Result<std::vector<Adapter>> ReadAdapters();

/// Adds the counters, and what the state is by now. False when the interface is gone.
bool AddCounters(const Adapter& adapter, Interface* link);

/// Whether a host would see a difference.
bool AreSame(const std::vector<Adapter>& a, const std::vector<Adapter>& b);

}  // namespace limiquantix
