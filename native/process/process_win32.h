#pragma once

#include <napi.h>

#include <memory>
#include <mutex>
#include <string>

#include "base/callback.h"
#include "base/signal_watch_win32.h"
#include "base/wake.h"
#include "process/launch_win32.h"

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
  /// A start on its way, which the thread and this share: each may be gone first.
  struct Pending;
  struct Facts {
    double pid = 0, input = -1, output = -1, error = -1, terminal = -1;
    std::string file, cgroup;
  };

  static void OnWake(void* owner);
  static void OnEnvironmentEnd(void* owner);

  void Settle();
  void Describe();
  void Reject(const SysError& error, const std::string& path = {});
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
  Napi::Value Members(const Napi::CallbackInfo& info);
  void Resize(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo&) { Close(); }
  /// Idempotent; the destructor calls it too.
  void Close();

  Napi::Value Kill(Napi::Env env, bool all);
  bool ended() const;

  std::shared_ptr<Pending> pending_;     // until ready is settled
  std::shared_ptr<Wake> wake_;           // until it has ended
  SignalWatch end_;                      // sends it
  napi_deferred deferred_ = nullptr;     // until ready is settled; the object lives as long
  std::shared_ptr<Callback> on_exit_;    // until it has been called
  std::shared_ptr<Process*> abortable_;  // what abort() reaches; null when this is gone
  Facts facts_;
  UniqueHandle process_;
  Job job_;
  std::shared_ptr<PseudoConsole> console_;
  bool killed_ = false;
};

}  // namespace limiquantix
