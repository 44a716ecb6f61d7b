#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "base/napi_error.h"
#include "base/unique_fd.h"
#include "process/process.h"

namespace limiquantix {
namespace {

Result<UniqueFd> OpenMaster(char* name, size_t length) {
  UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY));
  if (!master) return SysError{errno, "posix_openpt"};
  if (::grantpt(master.get()) != 0) return SysError{errno, "grantpt"};
  if (::unlockpt(master.get()) != 0) return SysError{errno, "unlockpt"};
  if (int error = ::ptsname_r(master.get(), name, length); error != 0) {
    return SysError{error, "ptsname_r"};
  }
  // posix_openpt takes no O_CLOEXEC everywhere, and none takes O_NONBLOCK.
  if (::fcntl(master.get(), F_SETFD, FD_CLOEXEC) != 0 ||
      ::fcntl(master.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0) {
    return SysError{errno, "fcntl"};
  }
  return master;
}

/// openPty(): {fd, path}, the master's descriptor, which the caller now owns, and the other end's
/// path.
Napi::Value OpenPty(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  char name[64];
  Result<UniqueFd> master = OpenMaster(name, sizeof name);
  if (!master.ok()) {
    NodeError(env, master.error()).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("fd", Napi::Number::New(env, master.value().Release()));
  result.Set("path", Napi::String::New(env, name));
  return result;
}

}  // namespace

void RegisterPty(Napi::Env env, Napi::Object exports) {
  exports.Set("openPty", Napi::Function::New<OpenPty>(env, "openPty"));
}

}  // namespace limiquantix
