#pragma once

#include <napi.h>

#include <memory>

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
  static void OnWake(void* owner);
  static void OnEnvironmentEnd(void* owner);
  static void OnPidfd(void* owner, uint32_t events);

  void Settle(Child::State state);
  int WatchPidfd();
  void Describe(Napi::Object object);
  void Reject(const SysError& error, const char* path = nullptr);
  void Abort();
  void TellExit();

  Napi::Value Signal(const Napi::CallbackInfo& info);
  Napi::Value SignalGroup(const Napi::CallbackInfo& info);
  void Resize(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo&) { Close(); }
  /// Idempotent; the destructor calls it too.
  void Close();

  std::shared_ptr<Child> child_;    // null before Start and once closed
  std::shared_ptr<Wake> wake_;      // while there is something that the thread will tell
  std::shared_ptr<Poller> poller_;  // while the pidfd is watched
  std::unique_ptr<Napi::AsyncContext> context_;
  napi_deferred deferred_ = nullptr;   // until ready is settled; JavaScript's object lives as long
  std::shared_ptr<Callback> on_exit_;  // until it has been called
  std::shared_ptr<Process*> abortable_;  // what abort() reaches; null when this is gone
  int master_ = -1;                      // the caller's
  unsigned pty_index_ = 0;
};

}  // namespace limiquantix
