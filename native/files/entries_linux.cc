#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "files/files.h"
#include "files/job_linux.h"
#include "files/stat_linux.h"

namespace limiquantix {
namespace {

constexpr size_t kMostNames = 1024;

/// In the order of EntryNumber in src/native/files.ts.
constexpr size_t kNumbers = 13;

int64_t Nanoseconds(const struct statx_timestamp& time) {
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/// What is at some names of one folder: a hop to a thread for each would cost many times what
/// statx itself costs.
class EntriesJob : public Job {
 public:
  EntriesJob(Napi::Env env, int folder, std::vector<std::string> names)
      : Job(env, "limiquantix.Entries"),
        folder_(folder),
        names_(std::move(names)),
        numbers_(names_.size() * kNumbers) {}

 private:
  SysError Run(std::string* failed_path) override {
    for (size_t i = 0; i < names_.size(); ++i) {
      const SysError error = Look(names_[i], &numbers_[i * kNumbers]);
      links_ += '\0';
      if (error.code == 0) continue;
      *failed_path = names_[i];
      return error;
    }
    return kNoError;
  }

  /// What has gone meanwhile has zeros.
  SysError Look(const std::string& name, int64_t* numbers) {
    struct statx facts {};
    if (Statx(folder_, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME,
              &facts) != 0) {
      return errno == ENOENT ? kNoError : SysError{errno, "statx"};
    }
    if (S_ISLNK(facts.stx_mode)) {
      char target[PATH_MAX];
      const ssize_t bytes = ::readlinkat(folder_, name.c_str(), target, sizeof target);
      // Gone, or no link any more.
      if (bytes < 0) {
        return errno == ENOENT || errno == EINVAL ? kNoError : SysError{errno, "readlink"};
      }
      links_.append(target, static_cast<size_t>(bytes));
    }
    const int64_t all[kNumbers] = {
        static_cast<int64_t>(makedev(facts.stx_dev_major, facts.stx_dev_minor)),
        static_cast<int64_t>(facts.stx_ino),
        facts.stx_mode,
        facts.stx_nlink,
        facts.stx_uid,
        facts.stx_gid,
        static_cast<int64_t>(facts.stx_size),
        static_cast<int64_t>(facts.stx_blocks),
        Nanoseconds(facts.stx_atime),
        Nanoseconds(facts.stx_mtime),
        Nanoseconds(facts.stx_ctime),
        Nanoseconds(facts.stx_btime),
        1};
    std::copy(std::begin(all), std::end(all), numbers);
    return kNoError;
  }

  Napi::Value Value(Napi::Env env) override {
    Napi::BigInt64Array numbers = Napi::BigInt64Array::New(env, numbers_.size());
    std::copy(numbers_.begin(), numbers_.end(), numbers.Data());
    Napi::Object result = Napi::Object::New(env);
    result.Set("numbers", numbers);
    result.Set("links", Napi::Buffer<char>::Copy(env, links_.data(), links_.size()));
    return result;
  }

  const int folder_;
  const std::vector<std::string> names_;
  std::vector<int64_t> numbers_;
  std::string links_;
};

/// readEntries(folder, names)
Napi::Value ReadEntries(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<std::string> names;
  if (info[0].IsNumber() && info[1].IsBuffer()) {
    const auto joined = info[1].As<Napi::Buffer<char>>();
    const char* at = joined.Data();
    const char* const end = at + joined.Length();
    while (at < end && names.size() <= kMostNames) {
      const char* const next = std::find(at, end, '\0');
      names.emplace_back(at, next);
      at = next == end ? end : next + 1;
    }
  }
  if (names.empty() || names.size() > kMostNames) {
    Napi::TypeError::New(env, "a folder's descriptor and 1 to 1024 names are needed")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const int folder = info[0].As<Napi::Number>().Int32Value();
  return Job::Start(std::make_unique<EntriesJob>(env, folder, std::move(names)));
}

}  // namespace

void RegisterEntries(Napi::Env env, Napi::Object exports) {
  exports.Set("readEntries", Napi::Function::New<ReadEntries>(env, "readEntries"));
}

}  // namespace limiquantix
