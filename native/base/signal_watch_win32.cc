#include "base/signal_watch_win32.h"

#include <utility>

namespace limiquantix {
namespace {

void CALLBACK OnSignal(void* wake, BOOLEAN /*timed_out*/) { static_cast<Wake*>(wake)->Send(); }

}  // namespace

DWORD SignalWatch::Start(HANDLE handle, std::shared_ptr<Wake> wake, bool once) {
  wake_ = std::move(wake);
  const ULONG flags = WT_EXECUTEINWAITTHREAD | (once ? WT_EXECUTEONLYONCE : 0);
  if (RegisterWaitForSingleObject(&wait_, handle, OnSignal, wake_.get(), INFINITE, flags)) return 0;
  const DWORD error = GetLastError();
  wait_ = nullptr;
  return error;
}

void SignalWatch::Stop() {
  if (wait_ != nullptr) UnregisterWaitEx(std::exchange(wait_, nullptr), INVALID_HANDLE_VALUE);
  wake_.reset();
}

}  // namespace limiquantix
