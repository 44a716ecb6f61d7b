#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "base/napi_error.h"
#include "base/unique_fd.h"
#include "service/notify.h"

namespace limiquantix {
namespace {

/// 0, or an errno. Neither part blocks: the one a full queue, the other a name of a file system
/// that is in memory.
int Send(const sockaddr_un& address, socklen_t length, const std::string& text) {
  // One that is kept would outlive the socket of a manager that is executed anew.
  const UniqueFd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!sender) return errno;
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  const ssize_t sent = ::sendto(sender.get(), text.data(), text.size(), MSG_NOSIGNAL, name, length);
  return sent < 0 ? errno : 0;
}

/// notify(socket, text): whether there was room for it. "@" in front is an abstract name.
Napi::Value Notify(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsString() || !info[1].IsString()) {
    Napi::TypeError::New(env, "notify takes a socket and a text").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const std::string path = info[0].As<Napi::String>();
  const std::string text = info[1].As<Napi::String>();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // As the kernel has it, a path without its NUL may fill all of it.
  int error = path.empty() ? EINVAL : path.size() > sizeof address.sun_path ? ENAMETOOLONG : 0;
  if (error == 0) {
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    const size_t length = offsetof(sockaddr_un, sun_path) + path.size();
    error = Send(address, static_cast<socklen_t>(length), text);
  }
  if (error == EAGAIN || error == ENOBUFS) return Napi::Boolean::New(env, false);
  if (error == 0) return Napi::Boolean::New(env, true);
  NodeError(env, SysError{error, "sendto"}, path).ThrowAsJavaScriptException();
  return env.Undefined();
}

}  // namespace

void RegisterNotify(Napi::Env env, Napi::Object exports) {
  exports.Set("notify", Napi::Function::New<Notify>(env, "notify"));
}

}  // namespace limiquantix
