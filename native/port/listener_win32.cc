#include <napi.h>
#include <uv.h>
#include <windows.h>
// After windows.h.
#include <sddl.h>

#include <memory>
#include <string>
#include <utility>

#include "base/callback.h"
#include "base/error_win32.h"
#include "base/napi_error.h"
#include "base/result.h"
#include "base/unique_handle_win32.h"
#include "base/wake.h"
#include "base/wide_win32.h"
#include "port/port.h"

namespace limiquantix {
namespace {

/// The system itself and administrators, nobody else.
constexpr wchar_t kWhoMay[] = L"D:P(A;;GA;;;SY)(A;;GA;;;BA)";

constexpr DWORD kPipeBytes = 64 * 1024;

/// A named pipe that waits for a client. There always is one while the listener is open: otherwise
/// somebody else could take the name.
class WaitingPipe {
 public:
  static Result<std::unique_ptr<WaitingPipe>> Make(const std::wstring& path, bool first,
                                                   std::shared_ptr<Wake> wake) {
    SECURITY_ATTRIBUTES security{sizeof security, nullptr, FALSE};
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
            kWhoMay, SDDL_REVISION_1, &security.lpSecurityDescriptor, nullptr)) {
      return LastError("listen");
    }
    const DWORD access =
        PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0);
    const DWORD mode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_REJECT_REMOTE_CLIENTS;
    UniqueHandle pipe(CreateNamedPipeW(path.c_str(), access, mode, PIPE_UNLIMITED_INSTANCES,
                                       kPipeBytes, kPipeBytes, 0, &security));
    const DWORD error = GetLastError();
    LocalFree(security.lpSecurityDescriptor);
    if (!pipe) {
      // That the name is taken is told as access that is denied.
      const bool taken = first && (error == ERROR_ACCESS_DENIED || error == ERROR_PIPE_BUSY);
      return taken ? SysError{-UV_EADDRINUSE, "listen", error} : WindowsError(error, "listen");
    }
    std::unique_ptr<WaitingPipe> waiting(new WaitingPipe(std::move(pipe), std::move(wake)));
    if (const SysError failed = waiting->Begin(); failed.code != 0) return failed;
    return waiting;
  }

  ~WaitingPipe() { Stop(); }

  /// Whether its waiting is over.
  bool IsOver() const { return HasOverlappedIoCompleted(&connect_) != FALSE; }

  /// The pipe, when there is a client.
  HANDLE Take() {
    DWORD none;
    const bool connected =
        connected_ || GetOverlappedResult(pipe_.get(), &connect_, &none, FALSE) != FALSE;
    Stop();
    return connected ? pipe_.Release() : nullptr;
  }

 private:
  WaitingPipe(UniqueHandle pipe, std::shared_ptr<Wake> wake)
      : pipe_(std::move(pipe)), wake_(std::move(wake)) {}

  SysError Begin() {
    event_.Reset(CreateEventW(nullptr, TRUE, FALSE, nullptr));
    if (!event_) return LastError("CreateEventW");
    connect_.hEvent = event_.get();
    if (ConnectNamedPipe(pipe_.get(), &connect_)) {
      connected_ = true;
    } else if (const DWORD error = GetLastError(); error == ERROR_PIPE_CONNECTED) {
      connected_ = true;
    } else if (error == ERROR_IO_PENDING) {
      if (RegisterWaitForSingleObject(&wait_, event_.get(), OnSignal, wake_.get(), INFINITE,
                                      WT_EXECUTEONLYONCE)) {
        return SysError{0, ""};
      }
      wait_ = nullptr;
      return LastError("RegisterWaitForSingleObject");
    } else {
      return WindowsError(error, "listen");
    }
    wake_->Send();
    return SysError{0, ""};
  }

  static void CALLBACK OnSignal(void* wake, BOOLEAN) { static_cast<Wake*>(wake)->Send(); }

  /// That the system lets go of connect_ takes no time: nothing but the pipe's own driver has it.
  void Stop() {
    if (wait_ != nullptr) UnregisterWaitEx(std::exchange(wait_, nullptr), INVALID_HANDLE_VALUE);
    if (!pipe_ || IsOver()) return;
    CancelIoEx(pipe_.get(), &connect_);
    DWORD none;
    GetOverlappedResult(pipe_.get(), &connect_, &none, TRUE);
  }

  UniqueHandle pipe_, event_;
  const std::shared_ptr<Wake> wake_;
  OVERLAPPED connect_{};
  HANDLE wait_ = nullptr;
  bool connected_ = false;
};

/// Serves a named pipe: one client is waiting at most, the next are told that it is busy.
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
    path_ = info[0].ToString().Utf8Value();
    Result<std::shared_ptr<Wake>> wake = Wake::Create(env, this, OnWake, OnEnvironmentEnd);
    if (!wake.ok()) {
      NodeError(env, wake.error(), path_).ThrowAsJavaScriptException();
      return;
    }
    wake_ = wake.value();
    callback_ = std::make_shared<Callback>(info[1].As<Napi::Function>());
    if (const SysError error = Wait(true); error.code != 0) {
      Close();
      NodeError(env, error, path_).ThrowAsJavaScriptException();
    }
  }

  ~Listener() override { Close(); }

 private:
  SysError Wait(bool first) {
    Result<std::unique_ptr<WaitingPipe>> made = WaitingPipe::Make(Wide(path_), first, wake_);
    if (!made.ok()) return made.error();
    waiting_ = std::move(made.value());
    return SysError{0, ""};
  }

  /// The handle of a client's pipe, or -1 when none waits.
  Napi::Value Accept(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (!wake_) return Fail(env, SysError{-UV_EBADF, "accept"});
    HANDLE client = nullptr;
    if (waiting_ && waiting_->IsOver()) {
      // The next one waits before this one can be closed, so that the name stays ours.
      const std::unique_ptr<WaitingPipe> over = std::move(waiting_);
      const SysError error = Wait(false);
      client = over->Take();
      if (error.code != 0 && client == nullptr) return Fail(env, error);
    } else if (!waiting_) {
      if (const SysError error = Wait(false); error.code != 0) return Fail(env, error);
    }
    const auto number =
        client == nullptr ? -1.0 : static_cast<double>(reinterpret_cast<intptr_t>(client));
    return Napi::Number::New(env, number);
  }

  static void OnWake(void* owner) {
    Listener* const listener = static_cast<Listener*>(owner);
    Napi::HandleScope scope(listener->Env());
    const std::shared_ptr<Callback> callback = listener->callback_;
    if (callback) callback->Call({});
  }
  static void OnEnvironmentEnd(void* owner) { static_cast<Listener*>(owner)->Close(); }

  void CloseFromJs(const Napi::CallbackInfo&) { Close(); }
  void Close() {
    waiting_.reset();
    callback_.reset();
    if (wake_) wake_->Close();
    wake_.reset();
  }

  Napi::Value Fail(Napi::Env env, const SysError& error) {
    NodeError(env, error, path_).ThrowAsJavaScriptException();
    return env.Undefined();
  }

  std::string path_;
  std::shared_ptr<Wake> wake_;  // null once closed
  std::shared_ptr<Callback> callback_;
  std::unique_ptr<WaitingPipe> waiting_;
};

}  // namespace

void RegisterListener(Napi::Env env, Napi::Object exports) {
  exports.Set("Listener", Listener::Define(env));
}

}  // namespace limiquantix
