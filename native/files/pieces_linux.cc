#include "files/pieces_linux.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "files/files.h"
#include "files/job_linux.h"
#include "files/stat_linux.h"

namespace limiquantix {
namespace {

constexpr size_t kBlockBytes = 4096;
constexpr char kZeros[kBlockBytes] = {};

/// Bytes of an open file, by position, if its path still leads to it: all in one go, for a piece
/// costs as much in the ways between threads as in the kernel.
class PieceJob : public Job {
 public:
  using Target = PieceTarget;

  PieceJob(const Napi::CallbackInfo& info, const char* name, Target target)
      : Job(info.Env(), name),
        target_(std::move(target)),
        data_(Napi::Persistent(info[3].As<Napi::Object>())),
        facts_(Napi::Persistent(info[4].As<Napi::Object>())),
        numbers_(info[4].As<Napi::Float64Array>().Data()) {}

 protected:
  virtual SysError Move(const Target& target, const struct stat& before, size_t* count) = 0;

 private:
  SysError Run(std::string* failed_path) override {
    struct stat now;
    struct stat open;
    *failed_path = target_.path;
    // A path that leads nowhere any more is another file too: who opens it anew is told why.
    if (FileStat(target_.fd, &open) != 0) return SysError{errno, "fstat"};
    same_ = PathStat(target_.path.c_str(), &now) == 0 && now.st_dev == open.st_dev &&
            now.st_ino == open.st_ino;
    if (!same_) return kNoError;
    size_t count = 0;
    const SysError error = Move(target_, open, &count);
    if (error.code != 0) return error;
    facts_of_[kCount] = static_cast<double>(count);
    facts_of_[kSize] = static_cast<double>(open.st_size);
    facts_of_[kMode] = open.st_mode & 07777;
    facts_of_[kModifiedSeconds] = static_cast<double>(open.st_mtim.tv_sec);
    facts_of_[kModifiedNanos] = static_cast<double>(open.st_mtim.tv_nsec);
    return kNoError;
  }

  Napi::Value Value(Napi::Env env) override {
    std::copy(facts_of_, facts_of_ + kFacts, numbers_);
    return Napi::Boolean::New(env, same_);
  }

  const Target target_;
  Napi::ObjectReference data_, facts_;  // keep the memory
  double* const numbers_;
  double facts_of_[kFacts] = {};
  bool same_ = false;
};

class ReadJob : public PieceJob {
 public:
  using PieceJob::PieceJob;

 private:
  /// The start has been read, and the time of that is written down: what follows need not be, and
  /// so can be read without waiting. Only the owner and root may say so.
  static void AllowCached(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0) ::fcntl(fd, F_SETFL, flags | O_NOATIME);
  }

  /// Files of /proc may give less than is asked for before their end.
  SysError Move(const Target& target, const struct stat&, size_t* count) override {
    while (*count < target.bytes) {
      const ssize_t got = ::pread(target.fd, target.data + *count, target.bytes - *count,
                                  target.offset + static_cast<off_t>(*count));
      if (got == 0) break;
      if (got > 0) {
        *count += static_cast<size_t>(got);
      } else if (errno != EINTR) {
        if (*count > 0) break;  // the next piece meets the same error, if it stays
        return SysError{errno, "pread"};
      }
    }
    if (target.offset == 0) AllowCached(target.fd);
    return kNoError;
  }
};

class WriteJob : public PieceJob {
 public:
  WriteJob(const Napi::CallbackInfo& info, Target target, bool sparse)
      : PieceJob(info, "limiquantix.WritePiece", std::move(target)), sparse_(sparse) {}

 private:
  SysError Move(const Target& target, const struct stat& before, size_t* count) override {
    const off_t end = target.offset + static_cast<off_t>(target.bytes);
    off_t size = before.st_size;
    for (size_t at = 0; at < target.bytes;) {
      size_t length = target.bytes - at;
      if (sparse_) {
        const bool zero = IsZero(target, at, &length);
        // Blocks of one kind, zeros or not, go together.
        for (size_t next = at + length; next < target.bytes; next = at + length) {
          size_t more = target.bytes - next;
          if (IsZero(target, next, &more) != zero) break;
          length += more;
        }
        if (zero && target.offset + static_cast<off_t>(at) >= size) {
          at += length;
          continue;
        }
      }
      const SysError error = WriteAll(target, at, length);
      if (error.code != 0) return error;
      at += length;
      size = std::max(size, target.offset + static_cast<off_t>(at));
    }
    if (sparse_ && size < end && ::ftruncate(target.fd, end) != 0) {
      return SysError{errno, "ftruncate"};
    }
    *count = target.bytes;
    return kNoError;
  }

  /// Whether a block of the file, as far as it is here, is zeros; `length` becomes its part of it.
  static bool IsZero(const Target& target, size_t at, size_t* length) {
    const size_t into = static_cast<size_t>(target.offset + static_cast<off_t>(at)) % kBlockBytes;
    *length = std::min(*length, kBlockBytes - into);
    return std::memcmp(target.data + at, kZeros, *length) == 0;
  }

  static SysError WriteAll(const Target& target, size_t from, size_t bytes) {
    for (size_t done = 0; done < bytes;) {
      const ssize_t wrote = ::pwrite(target.fd, target.data + from + done, bytes - done,
                                     target.offset + static_cast<off_t>(from + done));
      if (wrote >= 0) {
        done += static_cast<size_t>(wrote);
      } else if (errno != EINTR) {
        return SysError{errno, "pwrite"};
      }
    }
    return kNoError;
  }

  const bool sparse_;
};

class SeekJob : public Job {
 public:
  SeekJob(Napi::Env env, int fd, off_t offset)
      : Job(env, "limiquantix.SeekData"), fd_(fd), offset_(offset) {}

 private:
  SysError Run(std::string*) override {
    const off_t found = ::lseek(fd_, offset_, SEEK_DATA);
    if (found >= 0) {
      offset_ = found;
    } else if (errno == ENXIO) {
      const off_t end = ::lseek(fd_, 0, SEEK_END);
      if (end > offset_) offset_ = end;
    } else if (errno != EINVAL) {  // EINVAL: it knows no holes
      return SysError{errno, "lseek"};
    }
    return kNoError;
  }
  Napi::Value Value(Napi::Env env) override {
    return Napi::Number::New(env, static_cast<double>(offset_));
  }

  const int fd_;
  off_t offset_;
};

Napi::Value SeekData(const Napi::CallbackInfo& info) {
  if (info[0].IsNumber() && info[1].IsNumber() && info[1].As<Napi::Number>().DoubleValue() >= 0) {
    return Job::Start(
        std::make_unique<SeekJob>(info.Env(), info[0].As<Napi::Number>().Int32Value(),
                                  static_cast<off_t>(info[1].As<Napi::Number>().DoubleValue())));
  }
  Napi::TypeError::New(info.Env(), "(fd, offset)").ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

Napi::Value ReadPiece(const Napi::CallbackInfo& info) {
  PieceJob::Target target;
  if (!ReadTarget(info, &target)) return info.Env().Undefined();
  return Job::Start(std::make_unique<ReadJob>(info, "limiquantix.ReadPiece", std::move(target)));
}

Napi::Value WritePiece(const Napi::CallbackInfo& info) {
  PieceJob::Target target;
  if (!ReadTarget(info, &target)) return info.Env().Undefined();
  return Job::Start(std::make_unique<WriteJob>(info, std::move(target), info[5].ToBoolean()));
}

}  // namespace

bool ReadTarget(const Napi::CallbackInfo& info, PieceTarget* target) {
  if (!ReadPath(info, 1, &target->path)) return false;
  constexpr double kMaxOffset = 9007199254740991.0;  // Number.MAX_SAFE_INTEGER
  const double offset = info[2].IsNumber() ? info[2].As<Napi::Number>().DoubleValue() : -1;
  const bool has_facts = info[4].IsTypedArray() &&
                         info[4].As<Napi::TypedArray>().TypedArrayType() == napi_float64_array &&
                         info[4].As<Napi::TypedArray>().ElementLength() >= kFacts;
  if (info[0].IsNumber() && offset >= 0 && offset <= kMaxOffset && info[3].IsBuffer() &&
      has_facts) {
    const auto data = info[3].As<Napi::Buffer<char>>();
    target->fd = info[0].As<Napi::Number>().Int32Value();
    target->offset = static_cast<off_t>(offset);
    target->data = data.Data();
    target->bytes = data.Length();
    return true;
  }
  Napi::TypeError::New(info.Env(), "(fd, path, offset, buffer, Float64Array of 5)")
      .ThrowAsJavaScriptException();
  return false;
}

void RegisterPieces(Napi::Env env, Napi::Object exports) {
  exports.Set("seekData", Napi::Function::New<SeekData>(env, "seekData"));
  exports.Set("readPiece", Napi::Function::New<ReadPiece>(env, "readPiece"));
  exports.Set("writePiece", Napi::Function::New<WritePiece>(env, "writePiece"));
}

}  // namespace limiquantix
