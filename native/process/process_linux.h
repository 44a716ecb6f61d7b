#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "base/callback.h"
#include "base/poller_linux.h"
#include "base/wake.h"
#include "process/child_linux.h"

namespace limiquantix {

/// A command as JavaScript sees it: RawProcess of src/native/process.ts. It is made before there is
/// a process, and given to JavaScript when there is one.
class Process : public Napi::ObjectWrap<Process> {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit Process(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Process>(info) {}
  ~Process() override;

  /// Once: {ready, abort}.
  Napi::Value Start(SpawnRequest request, Napi::Function on_exit);

 private:
  /// What stays true when it has ended. The descriptors are the caller's; -1 where there is none.
  struct Facts {
    double pid = 0, input = -1, output = -1, error = -1, master = -1;
    std::string file, cgroup;
  };

  static void OnWake(void* owner);
  static void OnEnvironmentEnd(void* owner);
  static void OnPidfd(void* owner, uint32_t events);

  void Settle(Child::State state);
  int WatchPidfd();
  void Describe();
  void Reject(const SysError& error, const char* path = nullptr);
  void Abort();
  void TellExit();

  template <double Facts::*number>
  Napi::Value Number(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), facts_.*number);
  }
  template <std::string Facts::*text>
  Napi::Value Text(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), facts_.*text);
  }
  Napi::Value Signal(const Napi::CallbackInfo& info);
  Napi::Value SignalGroup(const Napi::CallbackInfo& info);
  void Resize(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo&) { Close(); }
  /// Idempotent; the destructor calls it too.
  void Close();

  std::shared_ptr<Child> child_;       // null before Start and once closed
  std::shared_ptr<Wake> wake_;         // while there is something that the thread will tell
  std::shared_ptr<Poller> poller_;     // while the pidfd is watched
  napi_deferred deferred_ = nullptr;   // until ready is settled; JavaScript's object lives as long
  std::shared_ptr<Callback> on_exit_;  // until it has been called
  std::shared_ptr<Process*> abortable_;  // what abort() reaches; null when this is gone
  Facts facts_;
  unsigned pty_index_ = 0;
};

}  // namespace limiquantix
