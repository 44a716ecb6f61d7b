#pragma once

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>
#include <string_view>

#include "base/unique_fd.h"

namespace limiquantix {

/// A folder that is read entry by entry, "." and ".." left out.
class FolderReader {
 public:
  /// Without success, errno tells why.
  FolderReader(int at, const char* path) {
    UniqueFd fd(::openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return;
    dir_ = ::fdopendir(fd.get());
    if (dir_ != nullptr) fd.Release();
  }
  ~FolderReader() {
    if (dir_ != nullptr) ::closedir(dir_);
  }
  FolderReader(const FolderReader&) = delete;
  FolderReader& operator=(const FolderReader&) = delete;

  explicit operator bool() const { return dir_ != nullptr; }
  int fd() const { return ::dirfd(dir_); }

  /// Null at the end, with errno 0, or after an error.
  const char* Next() {
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(dir_);
      if (entry == nullptr) return nullptr;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") return entry->d_name;
    }
  }

 private:
  DIR* dir_ = nullptr;
};

}  // namespace limiquantix
