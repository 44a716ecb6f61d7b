#include "process/process_win32.h"

#include <uv.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/background_win32.h"
#include "base/error_win32.h"
#include "base/instance_data.h"
#include "base/napi_error.h"
#include "base/wide_win32.h"

namespace limiquantix {
namespace {

// Numbers of signals as the protocol has them: those of Linux.
constexpr int kKill = 9;
// What a shell would say of a process that was killed.
constexpr UINT kKilledCode = 128 + kKill;

}  // namespace

struct Process::Pending {
  SpawnRequest request;
  std::mutex mutex;
  bool abandoned = false;
  std::optional<Launched> launched;
  SysError error{0, nullptr};
  std::wstring path;

  /// The thread's part. Who has given it up gets no process: the job ends it when it is closed.
  void Run() {
    Result<Launched> result = Launch(request, &path);
    const std::lock_guard<std::mutex> lock(mutex);
    if (!result.ok()) {
      error = result.error();
    } else if (abandoned) {
      result.value().job.Kill(kKilledCode);
    } else {
      launched.emplace(std::move(result.value()));
    }
  }

  void Abandon() {
    const std::lock_guard<std::mutex> lock(mutex);
    abandoned = true;
    if (!launched) return;
    launched->job.Kill(kKilledCode);
    if (launched->console) launched->console->Close();  // in the background: this is the JS thread
  }
};

Napi::Function Process::Define(Napi::Env env) {
  return DefineClass(
      env, "Process",
      {InstanceMethod<&Process::Signal>("signal"),
       InstanceMethod<&Process::SignalGroup>("signalGroup"),
       InstanceMethod<&Process::Members>("members"), InstanceMethod<&Process::Resize>("resize"),
       InstanceMethod<&Process::CloseFromJs>("close"),
       InstanceAccessor<&Process::Number<&Facts::pid>>("pid"),
       InstanceAccessor<&Process::Number<&Facts::input>>("stdin"),
       InstanceAccessor<&Process::Number<&Facts::output>>("stdout"),
       InstanceAccessor<&Process::Number<&Facts::error>>("stderr"),
       InstanceAccessor<&Process::Number<&Facts::terminal>>("pty"),
       InstanceAccessor<&Process::Text<&Facts::file>>("file"),
       InstanceAccessor<&Process::Text<&Facts::cgroup>>("cgroup")});
}

Process::~Process() {
  if (abortable_) *abortable_ = nullptr;
  Close();
}

Napi::Value Process::Start(SpawnRequest request, Napi::Function on_exit) {
  Napi::Env env = Env();
  napi_value promise = nullptr;
  if (napi_create_promise(env, &deferred_, &promise) != napi_ok) {
    return env.Undefined();  // a worker that is being terminated
  }
  Ref();  // until it is settled, so that it is not collected meanwhile
  on_exit_ = std::make_shared<Callback>(on_exit);
  abortable_ = std::make_shared<Process*>(this);
  Napi::Object starting = Napi::Object::New(env);
  starting.Set("ready", promise);
  starting.Set("abort", Napi::Function::New(
                            env,
                            [abortable = abortable_](const Napi::CallbackInfo&) {
                              if (*abortable != nullptr) (*abortable)->Abort();
                            },
                            "abort"));

  Result<std::shared_ptr<Wake>> wake = Wake::Create(env, this, OnWake, OnEnvironmentEnd);
  if (!wake.ok()) {
    Reject(wake.error());
    return starting;
  }
  wake_ = wake.value();
  pending_ = std::make_shared<Pending>();
  pending_->request = std::move(request);
  const bool runs = Background::Run([pending = pending_, wake = wake_] {
    pending->Run();
    wake->Send();
  });
  if (!runs) Reject(LastError("TrySubmitThreadpoolCallback"));
  return starting;
}

void Process::OnWake(void* owner) {
  Process* const process = static_cast<Process*>(owner);
  Napi::HandleScope scope(process->Env());
  // JS may close and forget us inside the calls.
  [[maybe_unused]] const Napi::Object alive = process->Value();
  if (process->deferred_ != nullptr) {
    process->Settle();
  } else if (process->ended()) {
    process->TellExit();
  }
}

/// Nobody is left to be told. What is running goes on.
void Process::OnEnvironmentEnd(void* owner) {
  Process* const process = static_cast<Process*>(owner);
  process->deferred_ = nullptr;
  process->Close();
}

void Process::Settle() {
  if (!pending_->launched) {
    Reject(pending_->error, Utf8(pending_->path));
    return;
  }
  Launched& launched = *pending_->launched;
  // It would end without anybody being told. The exit has a turn of its own.
  if (const DWORD error = end_.Start(launched.process.get(), wake_, true); error != 0) {
    Reject(WindowsError(error, "RegisterWaitForSingleObject"));
    return;
  }
  Describe();
  const Napi::Object object = Value();
  Unref();
  const napi_deferred deferred = std::exchange(deferred_, nullptr);
  napi_resolve_deferred(Env(), deferred, object);
}

void Process::Describe() {
  Launched launched = std::move(*pending_->launched);
  pending_.reset();
  Endpoints* const endpoints = Env().GetInstanceData<InstanceData>()->endpoints.get();
  const auto number = [endpoints](Endpoint& endpoint) {
    if (!endpoint.input && !endpoint.output) return -1;
    return endpoints->Add(std::move(endpoint));
  };
  facts_.pid = launched.pid;
  facts_.input = number(launched.streams[0]);
  facts_.output = number(launched.streams[1]);
  facts_.error = number(launched.streams[2]);
  facts_.terminal = number(launched.terminal);
  facts_.file = Utf8(launched.file);
  process_ = std::move(launched.process);
  job_ = std::move(launched.job);
  console_ = std::move(launched.console);
}

/// Also closes it.
void Process::Reject(const SysError& error, const std::string& path) {
  const Napi::Error reason = NodeError(Env(), error, path);
  napi_reject_deferred(Env(), std::exchange(deferred_, nullptr), reason.Value());
  Close();
  Unref();
}

/// abort(): at once, whatever holds up the thread.
void Process::Abort() {
  if (deferred_ != nullptr) Reject(SysError{-UV_ECANCELED, "spawn"});
}

bool Process::ended() const {
  return !process_ || WaitForSingleObject(process_.get(), 0) == WAIT_OBJECT_0;
}

void Process::TellExit() {
  DWORD code = 0;
  GetExitCodeProcess(process_.get(), &code);
  end_.Stop();
  if (wake_) wake_->Close();
  wake_.reset();
  if (console_) console_->Close();  // its output ends with it
  const std::shared_ptr<Callback> on_exit = std::move(on_exit_);
  if (!on_exit) return;
  Napi::Env env = Env();
  const bool killed = killed_ && code == kKilledCode;
  on_exit->Call({Napi::Number::New(env, killed ? 0 : static_cast<int32_t>(code)),
                 Napi::Number::New(env, killed ? kKill : 0)});
}

/// signal(number): 9, or 0 to ask whether it runs; the console's are the business of another
/// process.
Napi::Value Process::Signal(const Napi::CallbackInfo& info) {
  const int signal = info[0].ToNumber().Int32Value();
  if (ended()) return Napi::Boolean::New(info.Env(), false);
  if (signal == 0) return Napi::Boolean::New(info.Env(), true);
  if (signal == kKill) return Kill(info.Env(), false);
  NodeError(info.Env(), SysError{-UV_ENOSYS, "signal"}).ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

Napi::Value Process::SignalGroup(const Napi::CallbackInfo& info) {
  const int signal = info[0].ToNumber().Int32Value();
  if (job_.Members() == 0) return Napi::Boolean::New(info.Env(), false);
  if (signal == 0) return Napi::Boolean::New(info.Env(), true);
  if (signal == kKill) return Kill(info.Env(), true);
  NodeError(info.Env(), SysError{-UV_ENOSYS, "signal"}).ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

Napi::Value Process::Kill(Napi::Env env, bool all) {
  killed_ = true;
  DWORD error = 0;
  if (all) {
    error = job_.Kill(kKilledCode);
  } else if (!TerminateProcess(process_.get(), kKilledCode)) {
    error = GetLastError();
    if (ended()) return Napi::Boolean::New(env, false);
  }
  if (error == 0) return Napi::Boolean::New(env, true);
  NodeError(env, WindowsError(error, all ? "TerminateJobObject" : "TerminateProcess"))
      .ThrowAsJavaScriptException();
  return env.Undefined();
}

Napi::Value Process::Members(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), job_.Members());
}

void Process::Resize(const Napi::CallbackInfo& info) {
  if (!console_) return;
  const auto dimension = [](const Napi::Value& value) {
    return static_cast<short>(std::clamp<int>(value.ToNumber().Int32Value(), 1, 32767));
  };
  console_->Resize(dimension(info[0]), dimension(info[1]));
}

void Process::Close() {
  end_.Stop();
  if (wake_) wake_->Close();
  wake_.reset();
  on_exit_.reset();
  if (pending_) pending_->Abandon();
  pending_.reset();
  if (console_) console_->Close();
  console_.reset();
  job_.Close();
  process_.Reset();
}

}  // namespace limiquantix
