#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limiquantix {

/// One line of /proc/self/mountinfo, unescaped.
struct Mount {
  uint64_t id = 0, parent = 0;
  uint64_t major = 0, minor = 0;  ///< of the file system; major 0 when it is not on a block device
  std::string root;               ///< what of the file system is mounted; "/" is all of it
  std::string mount_point;
  std::string type;        ///< e.g. "ext4", "fuse.sshfs"
  std::string source;      ///< e.g. "/dev/vda1"
  bool read_only = false;  ///< the file system itself, not only this mount of it
};

/// Pure; takes any bytes. Lines that do not parse are left out.
std::vector<Mount> ParseMountinfo(std::string_view text);

/// The file systems whose usage is worth telling, each once: real and local ones, the root whatever
/// its type, and the types in `include`. Left out are pseudo and network file systems, images that
/// are always full (squashfs, iso9660…), and mounts that another mount hides.
std::vector<Mount> SelectMounts(const std::vector<Mount>& mounts,
                                const std::vector<std::string>& include);

}  // namespace limiquantix
