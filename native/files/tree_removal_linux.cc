#include "files/tree_removal_linux.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "files/folder_reader_linux.h"
#include "files/job_linux.h"
#include "files/stat_linux.h"

namespace limiquantix {
namespace {

constexpr size_t kMostOpen = 64;
/// Entries that are looked at before what they are is forgotten.
constexpr size_t kBatch = 1024;
/// Looks at a folder that should be empty by now.
constexpr int kMostRounds = 100;
constexpr uint64_t kStepNs = 50'000'000;
constexpr size_t kLongestShown = 500;

constexpr int kFolder = O_PATH | O_DIRECTORY | O_CLOEXEC;

/// The number of the mount that a descriptor is in, as text: a bind mount is another one in the
/// same file system. Empty: it could not be told.
std::string MountOf(int fd) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  const UniqueFd info(::open(path, O_RDONLY | O_CLOEXEC));
  char text[512];
  const ssize_t bytes = info ? ::read(info.get(), text, sizeof text - 1) : -1;
  if (bytes <= 0) return {};
  text[bytes] = '\0';
  const char* at = std::strstr(text, "mnt_id:");
  if (at == nullptr) return {};
  at += std::strlen("mnt_id:");
  at += std::strspn(at, " \t");
  return std::string(at, std::strcspn(at, "\n"));
}

bool IsFolder(int parent, const char* name) {
  return static_cast<bool>(UniqueFd(::openat(parent, name, kFolder | O_NOFOLLOW)));
}

}  // namespace

SysError TreeRemoval::Step(bool* done, std::string* failed_path) {
  const uint64_t until = uv_hrtime() + kStepNs;
  SysError error = begun_ ? kNoError : Begin();
  begun_ = true;
  while (error.code == 0 && !levels_.empty() && uv_hrtime() < until) {
    Level& level = levels_.back();
    if (!level.folders.empty()) {
      const std::string inner = std::move(level.folders.back());
      level.folders.pop_back();
      error = Enter(level.fd.get(), inner);
      continue;
    }
    bool is_empty = false;
    error = Empty(&is_empty);
    if (error.code == 0 && is_empty) error = Leave();
  }
  *done = levels_.empty();
  if (error.code != 0) *failed_path = PathOf(failed_name_);
  return error;
}

SysError TreeRemoval::Begin() {
  mount_ = MountOf(parent_);
  if (mount_.empty()) return SysError{ENOSYS, "mnt_id"};
  return Enter(parent_, name_);
}

/// What is no folder any more is met, as what it is, when its parent is read again.
SysError TreeRemoval::Enter(int parent, const std::string& name) {
  failed_name_ = name;
  UniqueFd fd(::openat(parent, name.c_str(), kFolder | O_NOFOLLOW));
  if (!fd) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR || error == ELOOP) return kNoError;
    return SysError{error, "openat"};
  }
  struct stat facts;
  if (FileStat(fd.get(), &facts) != 0) return SysError{errno, "fstat"};
  if (MountOf(fd.get()) != mount_) return SysError{EBUSY, "mnt_id"};
  levels_.push_back(Level{name, std::move(fd), facts.st_dev, facts.st_ino, {}, 0});
  if (levels_.size() > kMostOpen) {
    Level& far = levels_[levels_.size() - 1 - kMostOpen];
    far.fd.Reset();
    far.folders = {};  // they are read again: memory for all of them would have no bound
  }
  return kNoError;
}

/// Removes what is no folder, as far as a batch goes.
SysError TreeRemoval::Empty(bool* is_empty) {
  Level& level = levels_.back();
  failed_name_.clear();
  FolderReader folder(level.fd.get(), ".");
  if (!folder) return SysError{errno, "opendir"};
  size_t seen = 0;
  for (; seen < kBatch; ++seen) {
    const char* name = folder.Next();
    if (name == nullptr) {
      if (errno != 0) return SysError{errno, "readdir"};
      break;
    }
    if (::unlinkat(folder.fd(), name, 0) == 0 || errno == ENOENT) continue;
    const int error = errno;
    // Linux says EISDIR for a folder, some file systems EPERM, as POSIX has it.
    if (error == EISDIR || (error == EPERM && IsFolder(folder.fd(), name))) {
      level.folders.emplace_back(name);
      continue;
    }
    failed_name_ = name;
    return SysError{error, "unlinkat"};
  }
  *is_empty = seen == 0;
  // A file of NFS that somebody has open gets another name instead, each time.
  if (level.folders.empty() && seen < kBatch && ++level.rounds > kMostRounds) {
    return SysError{EBUSY, "unlinkat"};
  }
  return kNoError;
}

SysError TreeRemoval::Leave() {
  Level& level = levels_.back();
  Level* upper = levels_.size() > 1 ? &levels_[levels_.size() - 2] : nullptr;
  failed_name_.clear();
  if (upper != nullptr && !upper->fd) {
    const SysError error = OpenAgain(upper, level.fd.get());
    if (error.code != 0) return error;
  }
  const int parent = upper != nullptr ? upper->fd.get() : parent_;
  if (::unlinkat(parent, level.name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    // Somebody has put something in: it is read again.
    if (errno == ENOTEMPTY || errno == EEXIST) return kNoError;
    return SysError{errno, "unlinkat"};
  }
  levels_.pop_back();
  return kNoError;
}

SysError TreeRemoval::OpenAgain(Level* upper, int below) {
  UniqueFd fd(::openat(below, "..", kFolder));
  struct stat facts;
  if (!fd) return SysError{errno, "openat"};
  if (FileStat(fd.get(), &facts) != 0) return SysError{errno, "fstat"};
  if (facts.st_dev != upper->dev || facts.st_ino != upper->ino) return SysError{EBUSY, "openat"};
  upper->fd = std::move(fd);
  return kNoError;
}

/// Below the folder, for people: cut where it is too long.
std::string TreeRemoval::PathOf(const std::string& name) const {
  std::string path;
  for (size_t i = 1; i < levels_.size() && path.size() < kLongestShown; ++i) {
    path += (path.empty() ? "" : "/") + levels_[i].name;
  }
  if (!levels_.empty() && !name.empty()) path += (path.empty() ? "" : "/") + name;
  if (path.size() > kLongestShown) path.resize(kLongestShown);
  return path;
}

}  // namespace limiquantix
