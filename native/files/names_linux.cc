#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "files/files.h"
#include "files/job_linux.h"

namespace limiquantix {
namespace {

constexpr size_t kMaxNames = 65536;

/// A folder that is read entry by entry, "." and ".." left out.
class FolderReader {
 public:
  explicit FolderReader(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
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

/// Names as one buffer, with a NUL between: none has one.
Napi::Value Joined(Napi::Env env, const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) {
    if (!joined.empty()) joined += '\0';
    joined += name;
  }
  return Napi::Buffer<char>::Copy(env, joined.data(), joined.size());
}

/// std::string compares chars as unsigned: the order of bytes.
class NamesJob : public Job {
 public:
  NamesJob(Napi::Env env, std::string path, std::string after, size_t most, bool hidden)
      : Job(env, "limiquantix.Names"),
        path_(std::move(path)),
        after_(std::move(after)),
        most_(most),
        hidden_(hidden) {}

 private:
  SysError Run(std::string* failed_path) override {
    FolderReader folder(path_);
    *failed_path = path_;
    if (!folder) return SysError{errno, "opendir"};
    while (const char* name = folder.Next()) {
      if (!hidden_ && name[0] == '.') continue;
      ++total_;
      Take(name);
    }
    if (errno != 0) return SysError{errno, "readdir"};
    std::sort_heap(names_.begin(), names_.end());
    return kNoError;
  }

  /// Keeps the first `most_` behind `after_`, in a heap whose top is the last of them.
  void Take(std::string name) {
    if (!after_.empty() && name <= after_) return;
    if (names_.size() == most_) {
      if (name >= names_.front()) return;
      std::pop_heap(names_.begin(), names_.end());
      names_.back() = std::move(name);
    } else {
      names_.push_back(std::move(name));
    }
    std::push_heap(names_.begin(), names_.end());
  }

  Napi::Value Value(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("names", Joined(env, names_));
    result.Set("total", Napi::Number::New(env, static_cast<double>(total_)));
    return result;
  }

  const std::string path_, after_;
  const size_t most_;
  const bool hidden_;
  std::vector<std::string> names_;
  uint64_t total_ = 0;
};

class RemoveJob : public Job {
 public:
  RemoveJob(Napi::Env env, std::string path, size_t most)
      : Job(env, "limiquantix.Remove"), path_(std::move(path)), most_(most) {}

 private:
  SysError Run(std::string* failed_path) override {
    FolderReader folder(path_);
    if (!folder) return SysError{errno, "opendir"};
    for (; seen_ < most_; ++seen_) {
      const char* name = folder.Next();
      if (name == nullptr) {
        if (errno != 0) return SysError{errno, "readdir"};
        break;
      }
      if (::unlinkat(folder.fd(), name, 0) == 0 || errno == ENOENT) continue;
      const int error = errno;
      // Linux says EISDIR for a folder, some file systems of it EPERM, as POSIX has it.
      if (error == EISDIR || (error == EPERM && IsFolder(folder.fd(), name))) {
        folders_.emplace_back(name);
        continue;
      }
      *failed_path = name;
      return SysError{error, "unlinkat"};
    }
    return kNoError;
  }

  static bool IsFolder(int folder, const char* name) {
    return static_cast<bool>(
        UniqueFd(::openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
  }

  Napi::Value Value(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("folders", Joined(env, folders_));
    result.Set("seen", Napi::Number::New(env, static_cast<double>(seen_)));
    return result;
  }

  const std::string path_;
  const size_t most_;
  std::vector<std::string> folders_;
  size_t seen_ = 0;
};

bool ReadCount(const Napi::CallbackInfo& info, size_t index, size_t* count) {
  const double value = info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : 0;
  if (value >= 1 && value <= static_cast<double>(kMaxNames)) {
    *count = static_cast<size_t>(value);
    return true;
  }
  Napi::TypeError::New(info.Env(), "a count from 1 to 65536").ThrowAsJavaScriptException();
  return false;
}

Napi::Value ReadNames(const Napi::CallbackInfo& info) {
  std::string path;
  size_t most = 0;
  if (!ReadPath(info, 0, &path) || !ReadCount(info, 2, &most)) return info.Env().Undefined();
  std::string after;
  if (info[1].IsBuffer()) {
    const auto buffer = info[1].As<Napi::Buffer<char>>();
    after.assign(buffer.Data(), buffer.Length());
  }
  return Job::Start(std::make_unique<NamesJob>(info.Env(), std::move(path), std::move(after), most,
                                               info[3].ToBoolean()));
}

Napi::Value RemoveFiles(const Napi::CallbackInfo& info) {
  std::string path;
  size_t most = 0;
  if (!ReadPath(info, 0, &path) || !ReadCount(info, 1, &most)) return info.Env().Undefined();
  return Job::Start(std::make_unique<RemoveJob>(info.Env(), std::move(path), most));
}

}  // namespace

void RegisterNames(Napi::Env env, Napi::Object exports) {
  exports.Set("readNames", Napi::Function::New<ReadNames>(env, "readNames"));
  exports.Set("removeFiles", Napi::Function::New<RemoveFiles>(env, "removeFiles"));
}

}  // namespace limiquantix
