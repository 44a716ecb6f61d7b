#include <fcntl.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "files/files.h"
#include "files/job_linux.h"

namespace limiquantix {
namespace {

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

class RenameJob : public Job {
 public:
  RenameJob(Napi::Env env, std::string from, std::string to)
      : Job(env, "limiquantix.Rename"), from_(std::move(from)), to_(std::move(to)) {}

 private:
  SysError Run(std::string* failed_path) override {
    // By number: glibc has a name for it since 2.28 only.
    const long result =
        ::syscall(SYS_renameat2, AT_FDCWD, from_.c_str(), AT_FDCWD, to_.c_str(), RENAME_NOREPLACE);
    if (result == 0) return kNoError;
    *failed_path = to_;
    return SysError{errno, "renameat2"};
  }
  Napi::Value Value(Napi::Env env) override { return env.Undefined(); }

  const std::string from_, to_;
};

Napi::Value RenameNoReplace(const Napi::CallbackInfo& info) {
  std::string from, to;
  if (!ReadPath(info, 0, &from) || !ReadPath(info, 1, &to)) return info.Env().Undefined();
  return Job::Start(std::make_unique<RenameJob>(info.Env(), std::move(from), std::move(to)));
}

}  // namespace

void RegisterRename(Napi::Env env, Napi::Object exports) {
  exports.Set("renameNoReplace", Napi::Function::New<RenameNoReplace>(env, "renameNoReplace"));
}

}  // namespace limiquantix
