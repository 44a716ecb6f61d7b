#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "base/callback.h"
#include "base/napi_error.h"
#include "base/poller_linux.h"
#include "base/unique_fd.h"
#include "port/port.h"

namespace limiquantix {
namespace {

// As QEMU's socket chardev: one client is served, one more may wait.
constexpr int kBacklog = 1;

Result<UniqueFd> Listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return SysError{ENAMETOOLONG, "bind"};
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return SysError{errno, "socket"};
  // fchmod before bind is what gives the socket file its mode without a moment of being open to
  // all.
  if (::fchmod(fd.get(), 0600) != 0) return SysError{errno, "fchmod"};
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return SysError{errno, "bind"};
  }
  if (::listen(fd.get(), kBacklog) != 0) return SysError{errno, "listen"};
  return fd;
}

/// A listening UNIX socket, readable by its owner only. Its file is not removed on close: who made
/// the path decides.
class Listener : public Napi::ObjectWrap<Listener> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Listener",
                       {InstanceMethod<&Listener::Accept>("accept"),
                        InstanceMethod<&Listener::CloseFromJs>("close")});
  }

  explicit Listener(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Listener>(info) {
    Napi::Env env = info.Env();
    if (info.Length() < 2 || !info[0].IsString() || !info[1].IsFunction()) {
      Napi::TypeError::New(env, "new Listener(path, onClient)").ThrowAsJavaScriptException();
      return;
    }
    const std::string path = info[0].As<Napi::String>().Utf8Value();
    Result<UniqueFd> opened = Listen(path);
    if (!opened.ok()) {
      NodeError(env, opened.error(), path).ThrowAsJavaScriptException();
      return;
    }
    fd_ = std::move(opened.value());
    callback_ = std::make_shared<Callback>(info[1].As<Napi::Function>());
    Result<std::shared_ptr<Poller>> poller = Poller::Start(env, fd_.get(), EPOLLIN, this, OnEvents);
    if (!poller.ok()) {
      NodeError(env, poller.error(), path).ThrowAsJavaScriptException();
      fd_.Reset();
      return;
    }
    poller_ = std::move(poller.value());
  }

  ~Listener() override { Close(); }

 private:
  static void OnEvents(void* owner, uint32_t /*events*/) {
    Listener* listener = static_cast<Listener*>(owner);
    Napi::HandleScope scope(listener->Env());
    std::shared_ptr<Callback> callback = listener->callback_;
    callback->Call({});
  }

  /// accept(): a descriptor for `new Port({fd})`, or -1 when no client waits.
  Napi::Value Accept(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    int fd;
    do {
      fd = ::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0 && errno != EAGAIN) {
      NodeError(env, SysError{errno, "accept"}).ThrowAsJavaScriptException();
      return env.Undefined();
    }
    return Napi::Number::New(env, fd);
  }

  void CloseFromJs(const Napi::CallbackInfo&) { Close(); }

  void Close() {
    if (poller_) poller_->Close();
    poller_.reset();
    callback_.reset();
    fd_.Reset();
  }

  UniqueFd fd_;
  std::shared_ptr<Callback> callback_;  // shared: JS may close us inside the call
  std::shared_ptr<Poller> poller_;
};

}  // namespace

void RegisterListener(Napi::Env env, Napi::Object exports) {
  exports.Set("Listener", Listener::Define(env));
}

}  // namespace limiquantix
