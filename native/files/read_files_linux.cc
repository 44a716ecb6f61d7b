#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/napi_error.h"
#include "base/unique_fd.h"
#include "files/file_work.h"
#include "files/files.h"
#include "files/stat_linux.h"

namespace limiquantix {
namespace {

constexpr uint32_t kMostNames = 64;
constexpr uint32_t kMostBytes = 1024 * 1024;

/// One file of a batch. What is not `is_read` was opened and looked at only.
struct BatchFile {
  std::string name;
  SysError error{0, nullptr};
  struct stat stats {};
  bool is_read = false;
  size_t offset = 0, bytes = 0;  // in the content of the batch
};

/// Reads small files of one folder, one after another, on one of libuv's threads: a hop for each
/// open, fstat, read and close would cost several times what they cost themselves.
class ReadBatch : public FileWork {
 public:
  ReadBatch(Napi::Env env, int folder, std::vector<std::string> names, size_t most_bytes)
      : FileWork(env, "limiquantix.readFiles"), folder_(folder), most_bytes_(most_bytes) {
    files_.resize(names.size());
    for (size_t i = 0; i < names.size(); ++i) files_[i].name = std::move(names[i]);
  }

 private:
  void Execute() override {
    for (BatchFile& file : files_) file.error = Read(&file);
  }

  SysError Read(BatchFile* file) {
    const UniqueFd fd(::openat(folder_, file->name.c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd) return SysError{errno, "open"};
    if (FileStat(fd.get(), &file->stats) != 0) return SysError{errno, "fstat"};
    if (!S_ISREG(file->stats.st_mode)) return SysError{0, nullptr};
    const uint64_t bytes = static_cast<uint64_t>(file->stats.st_size);
    if (bytes > most_bytes_ - content_.size()) return SysError{0, nullptr};
    file->offset = content_.size();
    content_.resize(file->offset + bytes);
    while (file->bytes < bytes) {
      const ssize_t count = ::pread(fd.get(), content_.data() + file->offset + file->bytes,
                                    bytes - file->bytes, static_cast<off_t>(file->bytes));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return SysError{errno, "read"};
      if (count == 0) break;  // it has become shorter
      file->bytes += static_cast<size_t>(count);
    }
    file->is_read = true;
    return SysError{0, nullptr};
  }

  Napi::Value Value(Napi::Env env) override {
    const Napi::Buffer<char> content =
        Napi::Buffer<char>::Copy(env, content_.data(), content_.size());
    Napi::BigInt64Array numbers = Napi::BigInt64Array::New(env, files_.size() * kNumbers);
    Napi::Array errors = Napi::Array::New(env, files_.size());
    for (size_t i = 0; i < files_.size(); ++i) {
      const BatchFile& file = files_[i];
      const struct stat& stats = file.stats;
      const int64_t modified = stats.st_mtim.tv_sec * 1000000000LL + stats.st_mtim.tv_nsec;
      const int64_t all[kNumbers] = {static_cast<int64_t>(stats.st_dev),
                                     static_cast<int64_t>(stats.st_ino),
                                     stats.st_mode,
                                     static_cast<int64_t>(stats.st_nlink),
                                     stats.st_uid,
                                     stats.st_gid,
                                     stats.st_size,
                                     modified,
                                     file.is_read ? static_cast<int64_t>(file.offset) : -1,
                                     static_cast<int64_t>(file.bytes)};
      std::copy(std::begin(all), std::end(all), numbers.Data() + i * kNumbers);
      errors.Set(static_cast<uint32_t>(i), file.error.code == 0
                                               ? env.Undefined()
                                               : NodeError(env, file.error, file.name).Value());
    }
    Napi::Object result = Napi::Object::New(env);
    result.Set("content", content);
    result.Set("numbers", numbers);
    result.Set("errors", errors);
    return result;
  }

  static constexpr size_t kNumbers = 10;

  const int folder_;
  const size_t most_bytes_;
  std::vector<BatchFile> files_;
  std::vector<char> content_;
};

Napi::Value ReadFiles(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<std::string> names;
  bool is_good = info[0].IsNumber() && info[1].IsArray() && info[2].IsNumber();
  const uint32_t count = is_good ? info[1].As<Napi::Array>().Length() : 0;
  is_good = is_good && count <= kMostNames;
  for (uint32_t i = 0; is_good && i < count; ++i) {
    const Napi::Value name = info[1].As<Napi::Array>().Get(i);
    names.emplace_back();
    is_good = ReadName(name, &names.back());
  }
  const double most = is_good ? info[2].As<Napi::Number>().DoubleValue() : -1;
  if (!(most >= 0 && most <= kMostBytes)) {
    Napi::TypeError::New(env, "a folder's descriptor, up to 64 names and up to 1 MiB are needed")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  return (new ReadBatch(env, info[0].As<Napi::Number>().Int32Value(), std::move(names),
                        static_cast<size_t>(most)))
      ->Start();
}

}  // namespace

void RegisterReadFiles(Napi::Env env, Napi::Object exports) {
  exports.Set("readFiles", Napi::Function::New<ReadFiles>(env, "readFiles"));
}

}  // namespace limiquantix
