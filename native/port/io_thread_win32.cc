#include "port/io_thread_win32.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error_win32.h"

namespace limiquantix {
namespace {

/// What a packet of the completion port is about, besides overlapped calls.
constexpr ULONG_PTR kCall = 0, kWake = 1, kQuit = 2;

constexpr ULONG kPacketsAtOnce = 32;
constexpr size_t kStackBytes = 128 * 1024;

struct Timer {
  ULONGLONG due;
  std::weak_ptr<IoClient> client;
};

}  // namespace

struct IoThread::Core {
  UniqueHandle port;
  std::vector<Timer> timers;  // I/O thread; a few at most

  DWORD Timeout() const {
    if (timers.empty()) return INFINITE;
    ULONGLONG due = ~ULONGLONG{0};
    for (const Timer& timer : timers) due = std::min(due, timer.due);
    const ULONGLONG now = GetTickCount64();
    return due <= now ? 0 : static_cast<DWORD>(due - now);
  }

  void RunTimers() {
    if (timers.empty()) return;
    const ULONGLONG now = GetTickCount64();
    std::vector<Timer> ready;
    for (size_t i = 0; i < timers.size();) {
      if (timers[i].due > now) {
        ++i;
        continue;
      }
      ready.push_back(std::move(timers[i]));
      timers.erase(timers.begin() + static_cast<std::ptrdiff_t>(i));
    }
    for (const Timer& timer : ready) {
      if (const std::shared_ptr<IoClient> client = timer.client.lock()) client->OnTurn();
    }
  }
};

Result<std::shared_ptr<IoThread>> IoThread::Start() {
  std::shared_ptr<Core> core = std::make_shared<Core>();
  core->port.Reset(CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1));
  if (!core->port) return LastError("CreateIoCompletionPort");
  // The code of a thread that nobody waits for must stay loaded.
  HMODULE self;
  if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                          reinterpret_cast<LPCWSTR>(&IoThread::Run), &self)) {
    return LastError("GetModuleHandleExW");
  }
  auto* const own = new std::shared_ptr<Core>(core);
  const UniqueHandle thread(
      CreateThread(nullptr, kStackBytes, Run, own, STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr));
  if (!thread) {
    const SysError error = LastError("CreateThread");
    delete own;
    return error;
  }
  return std::shared_ptr<IoThread>(new IoThread(std::move(core)));
}

IoThread::~IoThread() { PostQueuedCompletionStatus(core_->port.get(), 0, kQuit, nullptr); }

HANDLE IoThread::port() const { return core_->port.get(); }

bool IoThread::Wake(std::shared_ptr<IoClient> client) {
  auto* const own = new std::shared_ptr<IoClient>(std::move(client));
  if (PostQueuedCompletionStatus(core_->port.get(), 0, kWake, reinterpret_cast<OVERLAPPED*>(own))) {
    return true;
  }
  delete own;
  return false;
}

void IoThread::WakeAfter(const std::shared_ptr<IoClient>& client, uint32_t milliseconds) {
  const ULONGLONG due = GetTickCount64() + milliseconds;
  for (Timer& timer : core_->timers) {
    if (timer.client.lock() != client) continue;
    timer.due = due;
    return;
  }
  core_->timers.push_back({due, client});
}

DWORD WINAPI IoThread::Run(void* own) {
  const std::shared_ptr<Core> core = std::move(*static_cast<std::shared_ptr<Core>*>(own));
  delete static_cast<std::shared_ptr<Core>*>(own);
  OVERLAPPED_ENTRY packets[kPacketsAtOnce];
  for (;;) {
    ULONG count = 0;
    if (!GetQueuedCompletionStatusEx(core->port.get(), packets, kPacketsAtOnce, &count,
                                     core->Timeout(), FALSE)) {
      count = 0;
    }
    bool quits = false;
    for (ULONG i = 0; i < count; ++i) {
      if (packets[i].lpCompletionKey == kQuit) {
        quits = true;  // the last packet there is: nobody is left to ask for more
      } else if (packets[i].lpCompletionKey == kWake) {
        auto* const client = reinterpret_cast<std::shared_ptr<IoClient>*>(packets[i].lpOverlapped);
        (*client)->OnTurn();
        delete client;
      } else {
        auto* const call = static_cast<IoCall*>(packets[i].lpOverlapped);
        const std::shared_ptr<IoClient> owner = std::move(call->owner);
        call->done(call, owner.get());
      }
    }
    if (quits) return 0;
    core->RunTimers();
  }
}

}  // namespace limiquantix
