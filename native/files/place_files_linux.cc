#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/napi_error.h"
#include "base/unique_fd.h"
#include "files/file_work.h"
#include "files/files.h"

namespace limiquantix {
namespace {

constexpr uint32_t kMostFiles = 64;

/// A small file, and what it gets.
struct NewFile {
  std::string name, temporary;
  const char* data = nullptr;
  size_t bytes = 0;
  mode_t mode = 0;
  bool has_owner = false;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec modified{0, UTIME_OMIT};
};

SysError Fill(int fd, const NewFile& file) {
  for (size_t done = 0; done < file.bytes;) {
    const ssize_t count = ::write(fd, file.data + done, file.bytes - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SysError{errno, "write"};
    done += static_cast<size_t>(count);
  }
  if (file.has_owner && ::fchown(fd, file.uid, file.gid) != 0) return SysError{errno, "fchown"};
  // Behind fchown, which takes setuid away.
  if (::fchmod(fd, file.mode) != 0) return SysError{errno, "fchmod"};
  const timespec times[2] = {{0, UTIME_OMIT}, file.modified};
  if (::futimens(fd, times) != 0) return SysError{errno, "futimens"};
  return SysError{0, nullptr};
}

/// Makes a file beside its place, whole, then puts it there.
SysError Put(int folder, const NewFile& file) {
  const char* const temporary = file.temporary.c_str();
  UniqueFd fd(
      ::openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return SysError{errno, "open"};
  SysError error = Fill(fd.get(), file);
  fd.Reset();
  if (error.code == 0 && ::renameat(folder, temporary, folder, file.name.c_str()) != 0) {
    error = SysError{errno, "rename"};
  }
  if (error.code != 0) ::unlinkat(folder, temporary, 0);
  return error;
}

/// Puts small files into one folder, one after another, up to the first that cannot be put.
class PlaceBatch : public FileWork {
 public:
  PlaceBatch(Napi::Env env, int folder, std::vector<NewFile> files, Napi::Array given)
      : FileWork(env, "limiquantix.placeFiles"),
        folder_(folder),
        files_(std::move(files)),
        contents_(Napi::Persistent(static_cast<Napi::Object>(given))) {}

 private:
  void Execute() override {
    for (const NewFile& file : files_) {
      error_ = Put(folder_, file);
      if (error_.code == 0) continue;
      failed_ = &file;
      return;
    }
  }

  Napi::Value Value(Napi::Env env) override {
    if (failed_ != nullptr) reason_ = NodeError(env, error_, failed_->name).Value();
    return env.Undefined();
  }

  const int folder_;
  const std::vector<NewFile> files_;
  const Napi::ObjectReference contents_;  // keeps what the files' data points to
  SysError error_{0, nullptr};
  const NewFile* failed_ = nullptr;
};

class SetModified : public FileWork {
 public:
  SetModified(Napi::Env env, std::string path, timespec modified, bool follow)
      : FileWork(env, "limiquantix.setModified"),
        path_(std::move(path)),
        modified_(modified),
        follow_(follow) {}

 private:
  void Execute() override {
    const timespec times[2] = {{0, UTIME_OMIT}, modified_};
    const int flags = follow_ ? 0 : AT_SYMLINK_NOFOLLOW;
    if (::utimensat(AT_FDCWD, path_.c_str(), times, flags) != 0) error_ = errno;
  }

  Napi::Value Value(Napi::Env env) override {
    if (error_ != 0) reason_ = NodeError(env, SysError{error_, "utimensat"}).Value();
    return env.Undefined();
  }

  const std::string path_;
  const timespec modified_;
  const bool follow_;
  int error_ = 0;
};

/// {seconds, nanos}
bool ReadTime(const Napi::Value& value, timespec* time) {
  if (!value.IsObject()) return false;
  const Napi::Value seconds = value.As<Napi::Object>().Get("seconds");
  const Napi::Value nanos = value.As<Napi::Object>().Get("nanos");
  if (!seconds.IsNumber() || !nanos.IsNumber()) return false;
  time->tv_sec = static_cast<time_t>(seconds.As<Napi::Number>().Int64Value());
  time->tv_nsec = nanos.As<Napi::Number>().Int32Value();
  return time->tv_nsec >= 0 && time->tv_nsec < 1000000000;
}

Napi::Value Wrong(Napi::Env env) {
  Napi::TypeError::New(env, "wrong arguments; see src/native/files.ts")
      .ThrowAsJavaScriptException();
  return env.Undefined();
}

bool ReadNewFile(const Napi::Value& value, Napi::Array contents, uint32_t index, NewFile* file) {
  if (!value.IsObject()) return false;
  const Napi::Object given = value.As<Napi::Object>();
  const Napi::Value content = given.Get("content");
  const Napi::Value mode = given.Get("mode");
  const Napi::Value owner = given.Get("owner");
  const Napi::Value modified = given.Get("modified");
  if (!ReadName(given.Get("name"), &file->name) ||
      !ReadName(given.Get("temporary"), &file->temporary) || !content.IsBuffer() ||
      !mode.IsNumber() || (modified.IsObject() && !ReadTime(modified, &file->modified))) {
    return false;
  }
  const Napi::Buffer<char> bytes = content.As<Napi::Buffer<char>>();
  contents.Set(index, bytes);
  file->data = bytes.Data();
  file->bytes = bytes.Length();
  file->mode = mode.As<Napi::Number>().Uint32Value();
  if (!owner.IsObject()) return true;
  const Napi::Value uid = owner.As<Napi::Object>().Get("uid");
  const Napi::Value gid = owner.As<Napi::Object>().Get("gid");
  file->has_owner = uid.IsNumber() && gid.IsNumber();
  if (!file->has_owner) return false;
  file->uid = uid.As<Napi::Number>().Uint32Value();
  file->gid = gid.As<Napi::Number>().Uint32Value();
  return true;
}

/// (folder, [{name, temporary, content, mode, owner?, modified?}])
Napi::Value PlaceFiles(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsNumber() || !info[1].IsArray()) return Wrong(env);
  const Napi::Array given = info[1].As<Napi::Array>();
  const uint32_t count = given.Length();
  if (count > kMostFiles) return Wrong(env);
  Napi::Array contents = Napi::Array::New(env, count);
  std::vector<NewFile> files(count);
  for (uint32_t i = 0; i < count; ++i) {
    if (!ReadNewFile(given.Get(i), contents, i, &files[i])) return Wrong(env);
  }
  const int folder = info[0].As<Napi::Number>().Int32Value();
  return (new PlaceBatch(env, folder, std::move(files), contents))->Start();
}

/// (path, {seconds, nanos}, follow)
Napi::Value SetModifiedTime(const Napi::CallbackInfo& info) {
  std::string path;
  timespec time{};
  if (!ReadName(info[0], &path) || !ReadTime(info[1], &time) || !info[2].IsBoolean()) {
    return Wrong(info.Env());
  }
  return (new SetModified(info.Env(), std::move(path), time, info[2].As<Napi::Boolean>()))->Start();
}

}  // namespace

void RegisterPlaceFiles(Napi::Env env, Napi::Object exports) {
  exports.Set("placeFiles", Napi::Function::New<PlaceFiles>(env, "placeFiles"));
  exports.Set("setModified", Napi::Function::New<SetModifiedTime>(env, "setModified"));
}

}  // namespace limiquantix
