#pragma once

#include <cstdint>

#include "sampler/mounts_linux.h"
#include "sampler/probe_board.h"

namespace limiquantix {

/// Asks one mount how full it is.
class StatfsProbe : public Probe {
 public:
  explicit StatfsProbe(Mount mount);

  struct Answer {
    int error = 0;  ///< an errno; then there are no numbers
    uint64_t total_bytes = 0, used_bytes = 0, available_bytes = 0;
  };

  const Mount& mount() const { return mount_; }
  /// Only while the board says that the probe is idle, and after it has run.
  const Answer& answer() const { return answer_; }

  /// Since when the mount has not answered, or only with errors, in uv_hrtime's nanoseconds; 0 when
  /// all is well. JS thread only.
  uint64_t failing_since = 0;

 private:
  void Run() override;

  const Mount mount_;
  Answer answer_;
};

}  // namespace limiquantix
