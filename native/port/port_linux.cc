#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/napi_error.h"
#include "base/poller_linux.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "port/port.h"

namespace limiquantix {
namespace {

enum class Kind { kVirtio, kTerminal, kSocket, kPipe };

// drivers/char/virtio_console.c, port_fops_write: at most 32 KiB a call, each call one descriptor.
constexpr size_t kVirtioWriteBytes = 32 * 1024;

constexpr size_t kJoinBelowBytes = 8 * 1024;

// Bits of the event mask given to JavaScript; see src/native/port.ts.
constexpr uint32_t kReadable = 1, kWritable = 2, kHangup = 4, kError = 8;

Kind Classify(int fd) {
  int type = 0;
  socklen_t length = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0) return Kind::kSocket;
  if (::fcntl(fd, F_GETPIPE_SZ) >= 0) return Kind::kPipe;
  return ::isatty(fd) ? Kind::kTerminal : Kind::kVirtio;
}

Result<UniqueFd> OpenDevice(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd) return SysError{errno, "open"};
  termios mode{};
  if (::tcgetattr(fd.get(), &mode) == 0) {  // a terminal: bytes must pass unchanged
    ::cfmakeraw(&mode);
    if (::tcsetattr(fd.get(), TCSANOW, &mode) != 0) return SysError{errno, "tcsetattr"};
  }
  return fd;
}

Result<UniqueFd> ConnectUnix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return SysError{ENAMETOOLONG, "connect"};
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return SysError{errno, "socket"};
  // On a UNIX socket this answers at once; EAGAIN means that the server's backlog is full.
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return SysError{errno, "connect"};
  }
  return fd;
}

/// One end of a byte channel: a virtio port, a terminal, a connected socket, or the one end of a
/// pipe. It moves bytes and reports edges; what they mean is decided in TypeScript.
class Port : public Napi::ObjectWrap<Port> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "Port",
        {InstanceMethod<&Port::Read>("read"), InstanceMethod<&Port::Write>("write"),
         InstanceMethod<&Port::CloseFromJs>("close"), InstanceAccessor<&Port::GetKind>("kind")});
  }

  explicit Port(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Port>(info) {
    Napi::Env env = info.Env();
    if (info.Length() < 2 || !info[0].IsObject() || !info[1].IsFunction()) {
      Napi::TypeError::New(env, "new Port(source, onEvents)").ThrowAsJavaScriptException();
      return;
    }
    std::string path;
    Result<UniqueFd> opened = Open(info[0].As<Napi::Object>(), &path);
    if (!opened.ok()) {
      NodeError(env, opened.error(), path).ThrowAsJavaScriptException();
      return;
    }
    fd_ = std::move(opened.value());
    kind_ = Classify(fd_.get());
    if (kind_ == Kind::kVirtio) staging_.reset(new char[kVirtioWriteBytes]);
    callback_ = std::make_shared<Callback>(info[1].As<Napi::Function>());

    Result<std::shared_ptr<Poller>> poller =
        Poller::Start(env, fd_.get(), BaseInterest(), this, OnEvents);
    if (!poller.ok()) {
      NodeError(env, poller.error(), path).ThrowAsJavaScriptException();
      fd_.Reset();
      return;
    }
    poller_ = std::move(poller.value());
  }

  ~Port() override { Close(); }

 private:
  static Result<UniqueFd> Open(Napi::Object source, std::string* path) {
    if (source.Has("fd")) return UniqueFd(source.Get("fd").ToNumber().Int32Value());
    if (source.Has("socket")) {
      *path = source.Get("socket").ToString().Utf8Value();
      return ConnectUnix(*path);
    }
    *path = source.Get("device").ToString().Utf8Value();
    return OpenDevice(*path);
  }

  // A virtio port registered for IN only does not report that a host has connected.
  uint32_t BaseInterest() const {
    return kind_ == Kind::kVirtio ? EPOLLIN | EPOLLOUT : EPOLLIN | EPOLLRDHUP;
  }

  static void OnEvents(void* owner, uint32_t events) {
    Port* port = static_cast<Port*>(owner);
    if (port->waits_for_room_ && (events & EPOLLOUT)) {
      port->waits_for_room_ = false;
      port->poller_->SetInterest(port->BaseInterest());
    }
    uint32_t mask = 0;
    if (events & EPOLLIN) mask |= kReadable;
    if (events & EPOLLOUT) mask |= kWritable;
    if (events & (EPOLLHUP | EPOLLRDHUP)) mask |= kHangup;
    if (events & EPOLLERR) mask |= kError;
    Napi::Env env = port->Env();
    Napi::HandleScope scope(env);
    std::shared_ptr<Callback> callback = port->callback_;
    callback->Call({Napi::Number::New(env, mask)});
  }

  /// read(buffer): bytes read; 0 when there is nothing now; -1 at the end of the stream, which on a
  /// virtio port means that no host is attached.
  Napi::Value Read(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!fd_) return Fail(env, SysError{EBADF, "read"});
    Napi::Uint8Array buffer = info[0].As<Napi::Uint8Array>();
    size_t filled = 0;
    while (filled < buffer.ByteLength()) {
      const ssize_t count = ::read(fd_.get(), buffer.Data() + filled, buffer.ByteLength() - filled);
      if (count > 0) {
        filled += static_cast<size_t>(count);
        // A socket or pipe that gives less than asked for has no more; a virtio port gives 4 KiB at
        // a time.
        if (kind_ == Kind::kSocket || kind_ == Kind::kPipe) break;
        continue;
      }
      if (count < 0 && errno == EINTR) continue;
      if (filled > 0 || (count < 0 && errno == EAGAIN))
        break;  // an error shows again at the next call
      if (count == 0) return Napi::Number::New(env, -1);
      return Fail(env, SysError{errno, "read"});
    }
    return Napi::Number::New(env, static_cast<double>(filled));
  }

  /// write(buffers): bytes taken by the kernel; fewer than given means that a writable event
  /// follows.
  Napi::Value Write(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!fd_) return Fail(env, SysError{EBADF, "write"});
    Napi::Array buffers = info[0].As<Napi::Array>();
    std::vector<iovec> parts;
    parts.reserve(buffers.Length());
    size_t total = 0;
    for (uint32_t i = 0; i < buffers.Length(); ++i) {
      Napi::HandleScope scope(env);
      Napi::Uint8Array bytes = buffers.Get(i).As<Napi::Uint8Array>();
      parts.push_back({bytes.Data(), bytes.ByteLength()});
      total += bytes.ByteLength();
    }
    size_t written = 0;
    while (written < total) {
      const ssize_t count = kind_ == Kind::kVirtio ? WriteStaged(parts) : WriteParts(parts);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno != EAGAIN) return Fail(env, SysError{errno, "write"});
      if (count <= 0) break;
      written += static_cast<size_t>(count);
      Advance(&parts, static_cast<size_t>(count));
    }
    if (written < total && kind_ != Kind::kVirtio && !waits_for_room_) {
      waits_for_room_ = true;
      poller_->SetInterest(BaseInterest() | EPOLLOUT);
    }
    return Napi::Number::New(env, static_cast<double>(written));
  }

  /// The kernel counts descriptors, not bytes: 406 single bytes fill a virtio port that takes 4.4
  /// MB in 32 KiB pieces. So small buffers are joined here; to copy larger ones costs more than it
  /// brings.
  ssize_t WriteStaged(const std::vector<iovec>& parts) {
    if (parts.front().iov_len >= kJoinBelowBytes) {
      const size_t count = std::min(parts.front().iov_len, kVirtioWriteBytes);
      return ::write(fd_.get(), parts.front().iov_base, count);
    }
    size_t filled = 0;
    for (const iovec& part : parts) {
      const size_t count = std::min(part.iov_len, kVirtioWriteBytes - filled);
      std::memcpy(staging_.get() + filled, part.iov_base, count);
      filled += count;
      if (filled == kVirtioWriteBytes) break;
    }
    return ::write(fd_.get(), staging_.get(), filled);
  }

  ssize_t WriteParts(std::vector<iovec>& parts) {
    const size_t count = std::min<size_t>(parts.size(), IOV_MAX);
    // Node ignores SIGPIPE, so a pipe that nobody reads from answers with EPIPE.
    if (kind_ != Kind::kSocket) return ::writev(fd_.get(), parts.data(), static_cast<int>(count));
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    return ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  }

  static void Advance(std::vector<iovec>* parts, size_t count) {
    auto first = parts->begin();
    while (first != parts->end() && count >= first->iov_len) count -= (first++)->iov_len;
    parts->erase(parts->begin(), first);
    if (count == 0) return;
    parts->front().iov_base = static_cast<char*>(parts->front().iov_base) + count;
    parts->front().iov_len -= count;
  }

  Napi::Value GetKind(const Napi::CallbackInfo& info) {
    const char* names[] = {"virtio", "terminal", "socket", "pipe"};
    return Napi::String::New(info.Env(), names[static_cast<int>(kind_)]);
  }

  void CloseFromJs(const Napi::CallbackInfo&) { Close(); }

  /// Idempotent; the destructor calls it too. Nothing here can block: the descriptor is
  /// non-blocking and a virtio port frees what the host has not taken.
  void Close() {
    if (poller_) poller_->Close();
    poller_.reset();
    callback_.reset();
    fd_.Reset();
  }

  static Napi::Value Fail(Napi::Env env, const SysError& error) {
    NodeError(env, error).ThrowAsJavaScriptException();
    return env.Undefined();
  }

  UniqueFd fd_;
  Kind kind_ = Kind::kSocket;
  bool waits_for_room_ = false;
  std::unique_ptr<char[]> staging_;
  std::shared_ptr<Callback> callback_;  // shared: JS may close us inside the call
  std::shared_ptr<Poller> poller_;
};

}  // namespace

void RegisterPort(Napi::Env env, Napi::Object exports) { exports.Set("Port", Port::Define(env)); }

}  // namespace limiquantix
