#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "sampler/sample.h"

namespace limiquantix {

/// An interface with its addresses; `facts` has no counters yet.
struct LinkEntry {
  uint64_t luid;
  Interface facts;
};

/// Every interface that has IP on it. It takes a millisecond or so.
Result<std::vector<LinkEntry>> ReadLinkEntries();

/// The interfaces with their counters, and with what their state is by now; without those that are
/// gone.
std::vector<Interface> WithCounters(std::vector<LinkEntry> adapters);

/// Whether a host would see a difference.
bool AreSame(const std::vector<LinkEntry>& a, const std::vector<LinkEntry>& b);

}  // namespace limiquantix
