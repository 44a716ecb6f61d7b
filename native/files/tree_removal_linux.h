#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace limiquantix {

/// Removes a folder with all that is in it. No link is followed, and nothing is touched that is in
/// another mount. Folders on the way down are kept open as far as kMostOpen goes; those further up
/// are opened again, by "..", on the way back.
class TreeRemoval {
 public:
  /// `parent` is not owned.
  TreeRemoval(int parent, std::string name) : parent_(parent), name_(std::move(name)) {}

  /// Any thread, one at a time. Goes on for a while; `*done` tells whether there is nothing left.
  SysError Step(bool* done, std::string* failed_path);

 private:
  struct Level {
    std::string name;
    UniqueFd fd;  ///< closed when it is far up
    dev_t dev;
    ino_t ino;
    std::vector<std::string> folders;  ///< those in it that are known
    int rounds;                        ///< looks that found the rest of it, and no folder
  };

  SysError Begin();
  SysError Enter(int parent, const std::string& name);
  SysError Empty(bool* is_empty);
  SysError Leave();
  SysError OpenAgain(Level* upper, int below);
  std::string PathOf(const std::string& name) const;

  const int parent_;
  const std::string name_;
  std::string mount_;
  std::vector<Level> levels_;
  std::string failed_name_;
  bool begun_ = false;
};

}  // namespace limiquantix
