#include <napi.h>
#include <uv.h>

#include <memory>
#include <string>
#include <utility>

#include "base/callback.h"
#include "base/instance_data.h"
#include "base/napi_error.h"
#include "base/wake.h"
#include "port/channel_win32.h"
#include "port/port.h"
#include "port/source_win32.h"

namespace limiquantix {
namespace {

Result<std::shared_ptr<IoThread>> ThreadOf(Napi::Env env) {
  std::weak_ptr<IoThread>& own = env.GetInstanceData<InstanceData>()->io_thread;
  if (std::shared_ptr<IoThread> running = own.lock()) return running;
  Result<std::shared_ptr<IoThread>> started = IoThread::Start();
  if (started.ok()) own = started.value();
  return started;
}

/// One end of a byte channel: a virtio port, a serial line or a named pipe. It moves bytes and
/// reports edges; what they mean is decided in TypeScript.
class Port : public Napi::ObjectWrap<Port> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "Port",
        {InstanceMethod<&Port::Read>("read"), InstanceMethod<&Port::Write>("write"),
         InstanceMethod<&Port::CloseFromJs>("close"), InstanceAccessor<&Port::GetKind>("kind"),
         InstanceAccessor<&Port::GetUnsent>("unsent")});
  }

  explicit Port(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Port>(info) {
    Napi::Env env = info.Env();
    if (info.Length() < 2 || !info[0].IsObject() || !info[1].IsFunction()) {
      Napi::TypeError::New(env, "new Port(source, onEvents)").ThrowAsJavaScriptException();
      return;
    }
    std::string path;
    Result<std::unique_ptr<Device>> device = OpenSource(info[0].As<Napi::Object>(), &path);
    if (!device.ok()) {
      NodeError(env, device.error(), path).ThrowAsJavaScriptException();
      return;
    }
    kind_ = device.value()->kind();
    if (const SysError error = Start(env, std::move(device.value())); error.code != 0) {
      NodeError(env, error, path).ThrowAsJavaScriptException();
      return;
    }
    callback_ = std::make_shared<Callback>(info[1].As<Napi::Function>());
  }

  ~Port() override { Close(); }

 private:
  SysError Start(Napi::Env env, std::unique_ptr<Device> device) {
    Result<std::shared_ptr<IoThread>> thread = ThreadOf(env);
    if (!thread.ok()) return thread.error();
    Result<std::shared_ptr<Wake>> wake = Wake::Create(env, this, OnWake, OnEnvironmentEnd);
    if (!wake.ok()) return wake.error();
    wake_ = wake.value();
    Result<std::shared_ptr<Channel>> channel =
        Channel::Open(std::move(device), thread.value(), [wake = wake.value()] { wake->Send(); });
    if (!channel.ok()) {
      Close();
      return channel.error();
    }
    channel_ = channel.value();
    return SysError{0, ""};
  }

  static void OnWake(void* owner) {
    Port* const port = static_cast<Port*>(owner);
    const std::shared_ptr<Channel> channel = port->channel_;
    const std::shared_ptr<Callback> callback = port->callback_;
    if (!channel || !callback) return;
    Napi::Env env = port->Env();
    Napi::HandleScope scope(env);
    const Edges edges = channel->TakeEdges();
    const auto tell = [&](uint32_t mask) {
      if (port->channel_ == nullptr || mask == 0) return;  // closed by the edge before
      callback->Call({Napi::Number::New(env, mask)});
    };
    if (!edges.hangup) {
      if (edges.here & kWritable) channel->NextHost();
      tell(edges.here);
      return;
    }
    // `port` must outlive the first call.
    const Napi::ObjectReference self = Napi::Persistent(port->Value());
    tell(edges.here);
    tell(kReadable | kHangup);
    if (edges.next == 0) return;
    channel->NextHost();
    tell(edges.next);
  }

  static void OnEnvironmentEnd(void* owner) { static_cast<Port*>(owner)->Close(); }

  Napi::Value Read(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!channel_) return Fail(env, SysError{-UV_EBADF, "read"});
    Napi::Uint8Array buffer = info[0].As<Napi::Uint8Array>();
    Result<int> count = channel_->Read(reinterpret_cast<char*>(buffer.Data()), buffer.ByteLength());
    if (!count.ok()) return Fail(env, count.error());
    return Napi::Number::New(env, count.value());
  }

  Napi::Value Write(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!channel_) return Fail(env, SysError{-UV_EBADF, "write"});
    Napi::Array buffers = info[0].As<Napi::Array>();
    size_t written = 0;
    for (uint32_t i = 0; i < buffers.Length(); ++i) {
      Napi::HandleScope scope(env);
      Napi::Uint8Array bytes = buffers.Get(i).As<Napi::Uint8Array>();
      Result<size_t> taken =
          channel_->Write(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength());
      if (!taken.ok()) return Fail(env, taken.error());
      written += taken.value();
      if (taken.value() < bytes.ByteLength()) break;
    }
    return Napi::Number::New(env, static_cast<double>(written));
  }

  Napi::Value GetKind(const Napi::CallbackInfo& info) {
    const char* names[] = {"virtio", "terminal", "socket", "pipe"};
    return Napi::String::New(info.Env(), names[static_cast<int>(kind_)]);
  }

  Napi::Value GetUnsent(const Napi::CallbackInfo& info) {
    const size_t bytes = channel_ ? channel_->Unsent() : 0;
    return Napi::Number::New(info.Env(), static_cast<double>(bytes));
  }

  void CloseFromJs(const Napi::CallbackInfo&) { Close(); }

  /// Idempotent; the destructor and the end of the environment call it too. Waits for nothing.
  void Close() {
    if (wake_) wake_->Close();
    wake_.reset();
    callback_.reset();
    if (channel_) channel_->Close();
    channel_.reset();
  }

  static Napi::Value Fail(Napi::Env env, const SysError& error) {
    NodeError(env, error).ThrowAsJavaScriptException();
    return env.Undefined();
  }

  PortKind kind_ = PortKind::kSocket;
  std::shared_ptr<Callback> callback_;  // shared: JS may close us inside the call
  std::shared_ptr<Wake> wake_;
  std::shared_ptr<Channel> channel_;  // null once closed
};

}  // namespace

void RegisterPort(Napi::Env env, Napi::Object exports) { exports.Set("Port", Port::Define(env)); }

}  // namespace limiquantix
