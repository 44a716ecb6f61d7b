#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace limiquantix {

// fstat() and stat() as the kernel has them: glibc has had functions of these names only
// since 2.33, and the addon is to load with older ones. Both take the kernel's own struct on 64-bit
// systems.

inline int FileStat(int fd, struct stat* stats) {
  return static_cast<int>(::syscall(SYS_fstat, fd, stats));
}

inline int PathStat(const char* path, struct stat* stats) {
  return static_cast<int>(::syscall(SYS_newfstatat, AT_FDCWD, path, stats, 0));
}

inline int Statx(int folder, const char* path, int flags, unsigned wanted, struct statx* facts) {
  return static_cast<int>(::syscall(SYS_statx, folder, path, flags, wanted, facts));
}

}  // namespace limiquantix
