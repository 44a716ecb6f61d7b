#include "process/process_linux.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/instance_data.h"
#include "base/napi_error.h"
#include "process/report_slab_linux.h"

namespace limiquantix {

Napi::Function Process::Define(Napi::Env env) {
  return DefineClass(
      env, "Process",
      {InstanceMethod<&Process::Signal>("signal"),
       InstanceMethod<&Process::SignalGroup>("signalGroup"),
       InstanceMethod<&Process::Resize>("resize"), InstanceMethod<&Process::CloseFromJs>("close"),
       InstanceAccessor<&Process::Number<&Facts::pid>>("pid"),
       InstanceAccessor<&Process::Number<&Facts::input>>("stdin"),
       InstanceAccessor<&Process::Number<&Facts::output>>("stdout"),
       InstanceAccessor<&Process::Number<&Facts::error>>("stderr"),
       InstanceAccessor<&Process::Number<&Facts::master>>("pty"),
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
  Napi::Object pending = Napi::Object::New(env);
  pending.Set("ready", promise);
  pending.Set("abort", Napi::Function::New(
                           env,
                           [abortable = abortable_](const Napi::CallbackInfo&) {
                             if (*abortable != nullptr) (*abortable)->Abort();
                           },
                           "abort"));

  Result<std::shared_ptr<Wake>> wake = Wake::Create(env, this, OnWake, OnEnvironmentEnd);
  if (!wake.ok()) {
    Reject(wake.error());
    return pending;
  }
  wake_ = wake.value();
  InstanceData* const instance = env.GetInstanceData<InstanceData>();
  child_ = std::make_shared<Child>(std::move(request), instance->reports->Take(),
                                   instance->suid_dumpable);
  if (int error = child_->Start(wake_, instance->spawners.get()); error != 0)
    Reject(SysError{error, "uv_thread_create"});
  return pending;
}

void Process::OnWake(void* owner) {
  Process* const process = static_cast<Process*>(owner);
  Napi::HandleScope scope(process->Env());
  [[maybe_unused]] const Napi::Object alive =
      process->Value();  // JS may close and forget us inside the calls
  const Child::State state = process->child_->state();
  if (process->deferred_ != nullptr) {
    if (state != Child::State::kStarting) process->Settle(state);
    // The exit has a turn of its own: JavaScript is to know the command first.
    if (process->child_ && state == Child::State::kEnded) process->wake_->Send();
  } else if (process->child_ && state == Child::State::kEnded) {
    process->TellExit();
  }
}

/// Nobody is left to be told. What is running goes on, and is reaped all the same.
void Process::OnEnvironmentEnd(void* owner) {
  Process* const process = static_cast<Process*>(owner);
  process->deferred_ = nullptr;
  process->Close();
}

void Process::Settle(Child::State state) {
  Napi::Env env = Env();
  if (state == Child::State::kFailed) {
    const SpawnError& error = child_->error();
    Reject(SysError{error.code, error.syscall}, error.path);
    return;
  }
  if (child_->pidfd() >= 0) {
    if (int error = WatchPidfd(); error != 0) {  // it would end without anybody being told
      Reject(SysError{error, "epoll_ctl"});
      return;
    }
    wake_->Close();
    wake_.reset();
  }
  Describe();
  const Napi::Object object = Value();
  Unref();
  const napi_deferred deferred = std::exchange(deferred_, nullptr);
  // It fails in a worker that is being terminated: then nobody gets to know.
  if (napi_resolve_deferred(env, deferred, object) == napi_ok) child_->HandOver();
}

int Process::WatchPidfd() {
  Result<std::shared_ptr<Poller>> poller =
      Poller::Start(Env(), child_->pidfd(), EPOLLIN, this, OnPidfd);
  if (!poller.ok()) return poller.error().code;
  poller_ = std::move(poller.value());
  return 0;
}

void Process::Describe() {
  const Stdio& stdio = child_->stdio();
  const int master = stdio.master.get();
  if (master >= 0) ::ioctl(master, TIOCGPTN, &pty_index_);
  facts_.pid = child_->pid();
  facts_.input = stdio.ours[0].get();
  facts_.output = stdio.ours[1].get();
  facts_.error = stdio.ours[2].get();
  facts_.master = master;
  facts_.file = child_->file();
  facts_.cgroup = child_->cgroup();
}

/// Also closes it.
void Process::Reject(const SysError& error, const char* path) {
  Napi::Env env = Env();
  const Napi::Error reason = NodeError(env, error, path != nullptr ? path : "");
  napi_reject_deferred(env, std::exchange(deferred_, nullptr), reason.Value());
  Close();
  Unref();
}

/// abort(): at once, whatever holds up the thread.
void Process::Abort() {
  if (deferred_ != nullptr) Reject(SysError{ECANCELED, "spawn"});
}

void Process::OnPidfd(void* owner, uint32_t /*events*/) {
  Process* const process = static_cast<Process*>(owner);
  Napi::HandleScope scope(process->Env());
  [[maybe_unused]] const Napi::Object alive = process->Value();
  process->TellExit();
}

void Process::TellExit() {
  const std::optional<ExitStatus> status = child_->Ended();
  if (!status) return;
  if (poller_) poller_->Close();
  poller_.reset();
  if (wake_) wake_->Close();
  wake_.reset();
  Napi::Env env = Env();
  if (const std::shared_ptr<Callback> on_exit = std::move(on_exit_); on_exit) {
    on_exit->Call({Napi::Number::New(env, status->code), Napi::Number::New(env, status->signal)});
  }
}

namespace {

/// What kill(2) says of a signal: whether somebody got it.
Napi::Value Outcome(Napi::Env env, int error) {
  if (error == 0 || error == ESRCH) return Napi::Boolean::New(env, error == 0);
  NodeError(env, SysError{error, "kill"}).ThrowAsJavaScriptException();
  return env.Undefined();
}

}  // namespace

Napi::Value Process::Signal(const Napi::CallbackInfo& info) {
  const int signal = info[0].ToNumber().Int32Value();
  return Outcome(info.Env(), child_ ? child_->Signal(signal) : ESRCH);
}

Napi::Value Process::SignalGroup(const Napi::CallbackInfo& info) {
  const int signal = info[0].ToNumber().Int32Value();
  return Outcome(info.Env(), child_ ? child_->SignalGroup(signal) : ESRCH);
}

/// resize(columns, rows). The descriptor is the caller's, who may have closed it: by now its number
/// may be that of another file, but hardly of a terminal with the same index.
void Process::Resize(const Napi::CallbackInfo& info) {
  unsigned index;
  const int master = static_cast<int>(facts_.master);
  if (!child_ || master < 0) return;
  if (::ioctl(master, TIOCGPTN, &index) != 0 || index != pty_index_) return;
  winsize size{};
  size.ws_col = static_cast<unsigned short>(info[0].ToNumber().Uint32Value());
  size.ws_row = static_cast<unsigned short>(info[1].ToNumber().Uint32Value());
  if (::ioctl(master, TIOCSWINSZ, &size) != 0) {
    NodeError(info.Env(), SysError{errno, "ioctl"}).ThrowAsJavaScriptException();
  }
}

void Process::Close() {
  if (poller_) poller_->Close();
  poller_.reset();
  if (wake_) wake_->Close();
  wake_.reset();
  on_exit_.reset();
  if (child_) child_->Release();
  child_.reset();
}

}  // namespace limiquantix
