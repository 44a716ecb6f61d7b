#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sampler/sample.h"
#include "sampler/volume_probe_win32.h"

namespace limiquantix {

/// Finds the volumes worth asking: those on fixed disks that are mounted. A probe since the mount
/// manager answers, and drivers of drives.
class VolumeList : public Probe {
 public:
  VolumeList() : Probe(Trust::kEssential) {}
  /// Only while idle.
  const std::vector<Volume>& volumes() const { return volumes_; }

 private:
  void Run() override;

  std::vector<Volume> volumes_;
};

/// The volumes, each with its probe. Which there are is found out anew every ten seconds.
class VolumeTable {
 public:
  /// Types to include besides have no meaning here.
  explicit VolumeTable(std::vector<std::string> include);

  /// At the start of a sample.
  std::optional<SourceError> Refresh();
  /// Those known.
  const std::vector<std::shared_ptr<VolumeProbe>>& probes() const { return probes_; }
  /// What to ask when all that was asked has answered: the list, then what is new on it.
  std::vector<std::shared_ptr<Probe>> Further(ProbeBoard& board);

 private:
  std::vector<std::shared_ptr<Probe>> Adopt(const std::vector<Volume>& volumes);

  const std::shared_ptr<VolumeList> list_;
  enum class Stage { kDone, kDue, kAsked } stage_ = Stage::kDone;
  uint64_t listed_at_ = 0;  // ms since the machine started; 0 when never
  std::vector<std::shared_ptr<VolumeProbe>> probes_;
};

}  // namespace limiquantix
