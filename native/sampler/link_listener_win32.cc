#include "sampler/link_listener_win32.h"

#include <winsock2.h>
//
#include <ws2ipdef.h>
//
#include <iphlpapi.h>
#include <netioapi.h>

#include <cstddef>
#include <utility>

#include "base/detached_thread.h"
#include "base/error_win32.h"
#include "base/lock.h"

namespace limiquantix {
namespace {

constexpr size_t kStackBytes = 256 * 1024;
// A notice that got lost, or one for which Windows was not done yet, must not count for ever.
constexpr DWORD kLookAnywayMs = 60 * 1000;
// Where there are no notices, as in Wine.
constexpr DWORD kPollMs = 2 * 1000;

void WINAPI OnInterface(void* event, MIB_IPINTERFACE_ROW*, MIB_NOTIFICATION_TYPE) {
  SetEvent(event);
}

void WINAPI OnAddress(void* event, MIB_UNICASTIPADDRESS_ROW*, MIB_NOTIFICATION_TYPE) {
  SetEvent(event);
}

}  // namespace

LinkListener::LinkListener(std::shared_ptr<AdapterList> list, uv_async_t* changed)
    : list_(std::move(list)),
      stop_(CreateEventW(nullptr, TRUE, FALSE, nullptr)),
      notice_(CreateEventW(nullptr, FALSE, FALSE, nullptr)),
      changed_(changed) {
  uv_mutex_init(&mutex_);
}

LinkListener::~LinkListener() { uv_mutex_destroy(&mutex_); }

Result<std::shared_ptr<LinkListener>> LinkListener::Start(std::shared_ptr<AdapterList> list,
                                                          uv_async_t* changed) {
  std::shared_ptr<LinkListener> listener(new LinkListener(std::move(list), changed));
  if (!listener->stop_ || !listener->notice_) return LastError("CreateEvent");
  const auto body = [listener] { listener->Run(); };
  if (const int error = StartDetachedThread("lqx-links", kStackBytes, body); error != 0) {
    return SysError{error, "_beginthreadex"};
  }
  return listener;
}

void LinkListener::Stop() {
  {
    const Lock lock(&mutex_);
    changed_ = nullptr;
  }
  SetEvent(stop_.get());
}

/// Wine claims success, without a handle.
bool LinkListener::Subscribe(HANDLE* interfaces, HANDLE* addresses) {
  return NotifyIpInterfaceChange(AF_UNSPEC, OnInterface, notice_.get(), FALSE, interfaces) ==
             NO_ERROR &&
         NotifyUnicastIpAddressChange(AF_UNSPEC, OnAddress, notice_.get(), FALSE, addresses) ==
             NO_ERROR &&
         *interfaces != nullptr && *addresses != nullptr;
}

void LinkListener::Run() {
  HANDLE interfaces = nullptr, addresses = nullptr;
  const bool notified = Subscribe(&interfaces, &addresses);
  const HANDLE events[] = {stop_.get(), notice_.get()};
  do {
    Compare();
  } while (WaitForMultipleObjects(2, events, FALSE, notified ? kLookAnywayMs : kPollMs) !=
           WAIT_OBJECT_0);
  // Both wait until no callback runs; those only set an event.
  if (interfaces != nullptr) CancelMibChangeNotify2(interfaces);
  if (addresses != nullptr) CancelMibChangeNotify2(addresses);
  list_->Set(std::nullopt);
}

void LinkListener::Compare() {
  Result<std::vector<LinkEntry>> read = ReadLinkEntries();
  const bool differs = known_ && (!read.ok() || !AreSame(*known_, read.value()));
  if (read.ok()) {
    list_->Set(read.value());
    known_ = std::move(read.value());
  } else {
    list_->Set(std::nullopt);
    known_.reset();
  }
  if (!differs) return;
  const Lock lock(&mutex_);
  if (changed_ != nullptr) uv_async_send(changed_);
}

}  // namespace limiquantix
