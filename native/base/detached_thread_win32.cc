#include <process.h>
#include <uv.h>
#include <windows.h>

#include <memory>
#include <utility>

#include "base/detached_thread.h"
#include "base/error_win32.h"
#include "base/unique_handle_win32.h"

namespace limiquantix {
namespace {

struct Start {
  std::function<void()> body;
};

unsigned __stdcall ThreadMain(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  start->body();
  return 0;
}

/// From now on this library stays loaded. False when it could not be pinned.
bool PinLibrary() {
  HMODULE library = nullptr;
  return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                            reinterpret_cast<const wchar_t*>(reinterpret_cast<void*>(&PinLibrary)),
                            &library) != 0;
}

}  // namespace

/// Threads have no names here: what sets them is missing before Windows 10 1607.
int StartDetachedThread(const char*, size_t stack_bytes, std::function<void()> body) {
  if (!PinLibrary()) return LastError("GetModuleHandleEx").code;
  std::unique_ptr<Start> start(new Start{std::move(body)});
  const UniqueHandle thread(reinterpret_cast<HANDLE>(
      _beginthreadex(nullptr, static_cast<unsigned>(stack_bytes), ThreadMain, start.get(),
                     STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr)));
  if (!thread) return -UV_EAGAIN;
  start.release();
  return 0;
}

}  // namespace limiquantix
