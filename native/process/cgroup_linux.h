#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace limiquantix {

/// A folder for one command in a cgroup v2 tree. One that was made is removed again unless it is
/// kept.
class CgroupFolder {
 public:
  CgroupFolder() = default;
  ~CgroupFolder();
  CgroupFolder(const CgroupFolder&) = delete;
  CgroupFolder& operator=(const CgroupFolder&) = delete;

  /// Takes the first of `paths` that can be made, or is there and holds nobody; there may be none.
  void Open(const std::vector<std::string>& paths);
  void Keep() { made_ = false; }

  /// Empty when there is none.
  const std::string& path() const { return path_; }
  /// The folder, for clone3, and its cgroup.procs, for a child to write to; -1 when there is none.
  int folder() const { return folder_.get(); }
  int procs() const { return procs_.get(); }

 private:
  bool Use(UniqueFd folder, bool is_new);

  std::string path_;
  bool made_ = false;
  UniqueFd folder_, procs_;
};

}  // namespace limiquantix
