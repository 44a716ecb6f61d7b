#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace limiquantix {

struct Identity {
  uid_t uid;
  gid_t gid;
  std::vector<gid_t> groups;  ///< supplementary
};

/// What to run and how: SpawnOptions of src/native/process.ts.
struct SpawnRequest {
  std::vector<std::string> files;
  std::vector<std::string> args;
  std::vector<std::string> environment;
  std::string working_directory;
  std::unique_ptr<Identity> identity;  ///< null: as this process
  bool piped[3] = {};                  ///< stdin, stdout, stderr
  bool pty = false;
  unsigned short columns = 0, rows = 0;
  std::vector<std::string> cgroups;
  bool as_old_kernel = false;  ///< without clone3, pidfd_open and close_range
};

/// A step that failed, and on what. `path` may be null.
struct SpawnError {
  int code = 0;  ///< errno; 0 when nothing has failed
  const char* syscall = nullptr;
  const char* path = nullptr;
};

}  // namespace limiquantix
