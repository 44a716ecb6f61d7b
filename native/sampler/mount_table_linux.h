#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sampler/proc_files_linux.h"
#include "sampler/statfs_probe_linux.h"

namespace limiquantix {

/// The mounts worth asking, each with its probe. The kernel's list is read again when it changed.
class MountTable {
 public:
  explicit MountTable(std::vector<std::string> include);

  /// Gives what went wrong, if anything; then the mounts are those known before.
  std::optional<SourceError> Refresh();
  const std::vector<std::shared_ptr<StatfsProbe>>& probes() const { return probes_; }
  /// What to ask when all that was asked has answered: nothing, the kernel's list is there at once.
  std::vector<std::shared_ptr<Probe>> Further(ProbeBoard&) { return {}; }

 private:
  bool HasChanged();

  const std::vector<std::string> include_;
  const ProcFile mountinfo_;
  std::vector<char> buffer_;
  bool read_ = false;
  std::vector<std::shared_ptr<StatfsProbe>> probes_;
};

}  // namespace limiquantix
