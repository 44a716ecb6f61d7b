#pragma once

#include <napi.h>

#include <memory>

#include "base/callback.h"
#include "base/wake.h"
#include "process/endpoints_win32.h"
#include "process/operation_win32.h"

namespace limiquantix {

/// A command's stream as JavaScript sees it: RawPort of src/native/port.ts. What comes is left in
/// the pipe until somebody reads it, so a command that nobody listens to waits.
class Stream : public Napi::ObjectWrap<Stream> {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit Stream(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Stream>(info) {}
  ~Stream() override { Close(); }

  /// Once. False: an exception is pending, and the endpoint is closed.
  bool Open(Endpoint endpoint, Napi::Function on_events);

 private:
  static void OnWake(void* owner);
  static void OnEnvironmentEnd(void* owner) { static_cast<Stream*>(owner)->Close(); }

  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  Napi::Value Kind(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo&) { Close(); }
  /// Idempotent.
  void Close();

  bool Fail(const SysError& error);
  DWORD ReadNow(char* bytes, DWORD count, DWORD* read);
  /// The handle whose end is watched.
  HANDLE watched() const {
    return endpoint_.input ? endpoint_.input.get() : endpoint_.output.get();
  }

  Endpoint endpoint_;
  std::shared_ptr<Wake> wake_;
  std::shared_ptr<Callback> callback_;  // shared: JS may close us inside the call
  std::unique_ptr<Operation> watching_, writing_;
  UniqueHandle read_event_;
  bool has_edge_ = false;       // of what is watched, and not told yet
  bool told_writable_ = false;  // of the write that is done
};

}  // namespace limiquantix
