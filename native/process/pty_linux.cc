#include "process/pty_linux.h"

#include <fcntl.h>
#include <stdlib.h>

#include <cerrno>

#include "base/napi_error.h"
#include "process/process.h"

namespace limiquantix {

Result<Pty> OpenPty() {
  Pty pty;
  // Both flags at once: a program started by another thread must not get the master. There is no
  // grantpt, which may ask a name service for the group tty: devpts has done its work since 1998.
  pty.master.Reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!pty.master) return SysError{errno, "posix_openpt"};
  if (::unlockpt(pty.master.get()) != 0) return SysError{errno, "unlockpt"};
  if (int error = ::ptsname_r(pty.master.get(), pty.path, sizeof pty.path); error != 0) {
    return SysError{error, "ptsname_r"};
  }
  return pty;
}

namespace {

/// openPty(): {fd, path}, the master's descriptor, which the caller now owns, and the other end's
/// path.
Napi::Value OpenPtyForJs(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Result<Pty> pty = OpenPty();
  if (!pty.ok()) {
    NodeError(env, pty.error()).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("fd", Napi::Number::New(env, pty.value().master.Release()));
  result.Set("path", Napi::String::New(env, pty.value().path));
  return result;
}

}  // namespace

void RegisterPty(Napi::Env env, Napi::Object exports) {
  exports.Set("openPty", Napi::Function::New<OpenPtyForJs>(env, "openPty"));
}

}  // namespace limiquantix
