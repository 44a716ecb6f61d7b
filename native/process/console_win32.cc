#include <windows.h>

#include <string>

#include "base/error_win32.h"
#include "base/napi_error.h"
#include "base/wide_win32.h"
#include "process/process.h"

namespace limiquantix {
namespace {

BOOL WINAPI IgnoreEvent(DWORD /*event*/) { return TRUE; }

/// signalConsole(pid, event): for a process that exists for this alone, since it becomes one of
/// those in the console of `pid` for a moment, and may fare as they do.
void SignalConsole(const Napi::CallbackInfo& info) {
  const DWORD pid = info[0].ToNumber().Uint32Value();
  const DWORD event = info[1].ToNumber().Uint32Value();
  const auto fail = [&info](const char* call) {
    NodeError(info.Env(), LastError(call)).ThrowAsJavaScriptException();
  };
  FreeConsole();  // a process has one at most; without, it fails, and that is as well
  if (!AttachConsole(pid)) return fail("AttachConsole");
  SetConsoleCtrlHandler(IgnoreEvent, TRUE);
  if (GenerateConsoleCtrlEvent(event, 0)) return;
  // Wine knows no other.
  if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)) fail("GenerateConsoleCtrlEvent");
}

/// decodeOem(bytes): text in the code page that consoles have unless told otherwise.
Napi::Value DecodeOem(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = info[0].As<Napi::Uint8Array>();
  const char* const data = reinterpret_cast<const char*>(bytes.Data());
  const int count = static_cast<int>(bytes.ByteLength());
  const int length = MultiByteToWideChar(CP_OEMCP, 0, data, count, nullptr, 0);
  std::u16string text(static_cast<size_t>(length), u'\0');
  MultiByteToWideChar(CP_OEMCP, 0, data, count, reinterpret_cast<wchar_t*>(text.data()), length);
  return Napi::String::New(info.Env(), text);
}

}  // namespace

void RegisterConsole(Napi::Env env, Napi::Object exports) {
  exports.Set("signalConsole", Napi::Function::New<SignalConsole>(env, "signalConsole"));
  exports.Set("decodeOem", Napi::Function::New<DecodeOem>(env, "decodeOem"));
}

}  // namespace limiquantix
