#include "process/pseudo_console_win32.h"

#include <utility>

#include "base/error_win32.h"

namespace limiquantix {
namespace {

struct Api {
  HRESULT(WINAPI* create)(COORD size, HANDLE input, HANDLE output, DWORD flags, HPCON* console);
  HRESULT(WINAPI* resize)(HPCON console, COORD size);
  void(WINAPI* close)(HPCON console);
};

template <typename Function>
void Find(HMODULE module, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(reinterpret_cast<void*>(GetProcAddress(module, name)));
}

/// Windows before 1809 has none of them, and would not load what imports them.
Api FindApi() {
  Api api{};
  const HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
  Find(kernel, "CreatePseudoConsole", &api.create);
  Find(kernel, "ResizePseudoConsole", &api.resize);
  Find(kernel, "ClosePseudoConsole", &api.close);
  return api;
}

}  // namespace

Result<std::shared_ptr<PseudoConsole>> PseudoConsole::Create(short columns, short rows,
                                                             HANDLE input, HANDLE output) {
  const Api api = FindApi();
  if (api.create == nullptr || api.resize == nullptr || api.close == nullptr) {
    return WindowsError(ERROR_NOT_SUPPORTED, "CreatePseudoConsole");
  }
  std::shared_ptr<PseudoConsole> console(new PseudoConsole);
  const HRESULT result = api.create(COORD{columns, rows}, input, output, 0, &console->handle_);
  if (FAILED(result)) {
    console->handle_ = nullptr;
    return WindowsError(static_cast<DWORD>(HRESULT_CODE(result)), "CreatePseudoConsole");
  }
  return console;
}

PseudoConsole::~PseudoConsole() {
  if (handle_ != nullptr) FindApi().close(handle_);
}

void PseudoConsole::Resize(short columns, short rows) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (close_) return;
    size_ = COORD{columns, rows};
    resize_ = true;
  }
  Later();
}

void PseudoConsole::Close() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::exchange(close_, true)) return;
  }
  Later();
}

void PseudoConsole::Later() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::exchange(running_, true)) return;
  }
  auto* const self = new std::shared_ptr<PseudoConsole>(shared_from_this());
  if (TrySubmitThreadpoolCallback(Run, self, nullptr)) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  running_ = false;  // out of memory: the next call tries again, the destructor closes
  delete self;
}

void PseudoConsole::Run(PTP_CALLBACK_INSTANCE instance, void* console) {
  CallbackMayRunLong(instance);
  const std::unique_ptr<std::shared_ptr<PseudoConsole>> owner(
      static_cast<std::shared_ptr<PseudoConsole>*>(console));
  PseudoConsole* const self = owner->get();
  const Api api = FindApi();
  for (;;) {
    HPCON closing = nullptr;
    COORD size{};
    {
      const std::lock_guard<std::mutex> lock(self->mutex_);
      if (self->close_) {
        closing = std::exchange(self->handle_, nullptr);
      } else if (self->resize_) {
        size = self->size_;
        self->resize_ = false;
      }
      if (closing == nullptr && size.X == 0) {
        self->running_ = false;
        return;
      }
    }
    if (closing != nullptr) {
      api.close(closing);
    } else {
      api.resize(self->handle_, size);
    }
  }
}

}  // namespace limiquantix
