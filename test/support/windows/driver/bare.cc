#include "bare.h"

#include <uv.h>
#include <windows.h>

#include <algorithm>
#include <memory>

#include "base/error_win32.h"
#include "base/napi_error.h"
#include "base/unique_handle_win32.h"
#include "base/wide_win32.h"

namespace limiquantix {
namespace {

constexpr DWORD kPieceBytes = 64 * 1024;

using Call = BOOL (*)(HANDLE file, void* buffer, DWORD bytes, OVERLAPPED* overlapped);

/// Moves so many bytes, a piece at a time, and waits for each: what is left when all that a port
/// does is left out.
SysError Move(const std::string& device, double bytes, Call call) {
  const UniqueHandle file(CreateFileW(Wide(device).c_str(), GENERIC_READ | GENERIC_WRITE, 0,
                                      nullptr, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, nullptr));
  if (!file) return LastError("open");
  COMMTIMEOUTS timeouts{};
  timeouts.ReadIntervalTimeout = 1;
  SetCommTimeouts(file.get(), &timeouts);
  const UniqueHandle event(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  const auto buffer = std::make_unique<char[]>(kPieceBytes);
  for (double left = bytes; left > 0;) {
    OVERLAPPED overlapped{};
    overlapped.hEvent = event.get();
    const DWORD piece = static_cast<DWORD>(std::min<double>(left, kPieceBytes));
    DWORD moved = 0;
    if (!call(file.get(), buffer.get(), piece, &overlapped) && GetLastError() != ERROR_IO_PENDING) {
      return LastError("move");
    }
    if (!GetOverlappedResult(file.get(), &overlapped, &moved, TRUE) &&
        GetLastError() != ERROR_TIMEOUT) {
      return LastError("move");
    }
    left -= moved;
  }
  return SysError{0, ""};
}

void MoveFromJs(const Napi::CallbackInfo& info, Call call) {
  const SysError error =
      Move(info[0].ToString().Utf8Value(), info[1].ToNumber().DoubleValue(), call);
  if (error.code != 0) NodeError(info.Env(), error).ThrowAsJavaScriptException();
}

void BareRead(const Napi::CallbackInfo& info) {
  MoveFromJs(info, [](HANDLE file, void* buffer, DWORD bytes, OVERLAPPED* overlapped) {
    return ReadFile(file, buffer, bytes, nullptr, overlapped);
  });
}

void BareWrite(const Napi::CallbackInfo& info) {
  MoveFromJs(info, [](HANDLE file, void* buffer, DWORD bytes, OVERLAPPED* overlapped) {
    return WriteFile(file, buffer, bytes, nullptr, overlapped);
  });
}

Napi::Value HandleCount(const Napi::CallbackInfo& info) {
  DWORD count = 0;
  GetProcessHandleCount(GetCurrentProcess(), &count);
  return Napi::Number::New(info.Env(), count);
}

}  // namespace

void RegisterBare(Napi::Env env, Napi::Object exports) {
  exports.Set("bareRead", Napi::Function::New<BareRead>(env, "bareRead"));
  exports.Set("bareWrite", Napi::Function::New<BareWrite>(env, "bareWrite"));
  exports.Set("handleCount", Napi::Function::New<HandleCount>(env, "handleCount"));
}

}  // namespace limiquantix
