#include "sampler/statfs_probe_linux.h"

#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace limiquantix {

StatfsProbe::StatfsProbe(Mount mount)
    : Probe(mount.mount_point == "/" ? Trust::kEssential : Trust::kUnproven),
      mount_(std::move(mount)) {}

void StatfsProbe::Run() {
  struct statfs usage {};
  int result;
  do {
    result = ::statfs(mount_.mount_point.c_str(), &usage);
  } while (result != 0 && errno == EINTR);
  answer_ = Answer{};
  if (result != 0) {
    answer_.error = errno;
    return;
  }
  const uint64_t block = static_cast<uint64_t>(usage.f_frsize > 0 ? usage.f_frsize : usage.f_bsize);
  const uint64_t blocks = static_cast<uint64_t>(usage.f_blocks);
  // A file system that is over its reserve may answer with wrapped negatives.
  const uint64_t free = std::min(static_cast<uint64_t>(usage.f_bfree), blocks);
  const uint64_t available = static_cast<uint64_t>(usage.f_bavail);
  answer_.total_bytes = blocks * block;
  answer_.used_bytes = (blocks - free) * block;
  answer_.available_bytes = (available > blocks ? 0 : available) * block;
}

}  // namespace limiquantix
