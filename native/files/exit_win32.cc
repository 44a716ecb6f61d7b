#include <windows.h>

#include "base/error_win32.h"
#include "base/napi_error.h"
#include "base/unique_handle_win32.h"
#include "files/files.h"

namespace limiquantix {
namespace {

struct End {
  UINT code;
  DWORD ms;
};

DWORD WINAPI EndProcess(void* data) {
  const End end = *static_cast<End*>(data);
  delete static_cast<End*>(data);
  Sleep(end.ms);
  TerminateProcess(GetCurrentProcess(), end.code);
  return 0;
}

void ExitWithin(const Napi::CallbackInfo& info) {
  const int code = info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : 1;
  const double ms = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : 0;
  // Whoever has loaded the addon may let go of it meanwhile.
  HMODULE self = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     reinterpret_cast<const wchar_t*>(&EndProcess), &self);
  auto* const end = new End{static_cast<UINT>(code), static_cast<DWORD>(ms)};
  const UniqueHandle thread(CreateThread(nullptr, 0, EndProcess, end, 0, nullptr));
  if (thread) return;
  const SysError error = LastError("CreateThread");
  delete end;
  NodeError(info.Env(), error).ThrowAsJavaScriptException();
}

}  // namespace

void RegisterExit(Napi::Env env, Napi::Object exports) {
  exports.Set("exitWithin", Napi::Function::New<ExitWithin>(env, "exitWithin"));
}

}  // namespace limiquantix
