#pragma once

#include <cstdint>
#include <string>

#include "sampler/probe_board.h"

namespace limiquantix {

/// A volume, where it is mounted first.
struct Volume {
  std::string mount_point;  ///< e.g. "C:\"
  std::string type;         ///< e.g. "NTFS"; empty until it has answered
  std::string source;       ///< e.g. "\\?\Volume{…}\"
};

/// Asks one volume how full it is: a disk that is gone may never answer.
class VolumeProbe : public Probe {
 public:
  VolumeProbe(Volume volume, bool has_system);

  struct Answer {
    int error = 0;  ///< an errno; then there are no numbers
    uint64_t total_bytes = 0, used_bytes = 0, available_bytes = 0;
    std::string type;
  };

  const Volume& mount() const { return volume_; }
  /// Only while the board says that the probe is idle, and after it has run.
  const Answer& answer() {
    if (answer_.error == 0) volume_.type = answer_.type;
    return answer_;
  }

  /// Since when the volume has not answered, or only with errors, in uv_hrtime's nanoseconds; 0
  /// when all is well. JS thread only.
  uint64_t failing_since = 0;

 private:
  void Run() override;

  Volume volume_;  // JS thread; the mount point does not change
  Answer answer_;
};

}  // namespace limiquantix
