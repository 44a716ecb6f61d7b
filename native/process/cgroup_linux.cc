#include "process/cgroup_linux.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace limiquantix {
namespace {

/// cgroup.events of a cgroup whose members, and those of the cgroups in it, have all ended.
bool IsEmpty(int folder) {
  const UniqueFd events(::openat(folder, "cgroup.events", O_RDONLY | O_CLOEXEC));
  char text[256];
  const ssize_t count = events ? ::read(events.get(), text, sizeof text - 1) : -1;
  if (count <= 0) return false;
  text[count] = '\0';
  return std::strstr(text, "populated 0") != nullptr;
}

UniqueFd OpenFolder(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

CgroupFolder::~CgroupFolder() {
  if (made_) ::rmdir(path_.c_str());
}

void CgroupFolder::Open(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    // Most are there already, and mkdir would wait for the other threads to find that out.
    UniqueFd folder = OpenFolder(path);
    const bool is_new = !folder && errno == ENOENT && ::mkdir(path.c_str(), 0755) == 0;
    if (is_new) folder = OpenFolder(path);
    if (folder && Use(std::move(folder), is_new)) {
      path_ = path;
      made_ = is_new;
      return;
    }
    if (is_new) ::rmdir(path.c_str());
  }
}

bool CgroupFolder::Use(UniqueFd folder, bool is_new) {
  struct statfs information {};
  if (::fstatfs(folder.get(), &information) != 0) return false;
  if (information.f_type != CGROUP2_SUPER_MAGIC) return false;
  if (!is_new && !IsEmpty(folder.get())) return false;
  UniqueFd procs(::openat(folder.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
  if (!procs) return false;
  folder_ = std::move(folder);
  procs_ = std::move(procs);
  return true;
}

}  // namespace limiquantix
