#include "port/notice_win32.h"
// After windows.h.
#include <cfgmgr32.h>

#include <cstring>
#include <utility>

namespace limiquantix {
namespace {

// vioserial/sys/public.h of the driver.
constexpr GUID kPortInterface = {
    0x6fde7521, 0x1b65, 0x48ae, {0xb6, 0x28, 0x80, 0xbe, 0x62, 0x01, 0x60, 0x26}};
constexpr GUID kStatusChange = {
    0x2c0f39ac, 0xb156, 0x4237, {0x9c, 0x64, 0x89, 0x91, 0xa1, 0x8b, 0xf3, 0x5c}};
struct StatusChange {
  ULONG version, connected;
};

using Register = DWORD(WINAPI*)(CM_NOTIFY_FILTER*, void*, PCM_NOTIFY_CALLBACK, HCMNOTIFICATION*);
using Unregister = DWORD(WINAPI*)(HCMNOTIFICATION);

/// Looked up, since not every system that the addon is loaded on has them (Wine).
struct Functions {
  Register enter = nullptr;
  Unregister leave = nullptr;

  static Functions Find() {
    Functions found;
    // Stays loaded: it is the system's own.
    const HMODULE library = LoadLibraryExW(L"cfgmgr32.dll", nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (library == nullptr) return found;
    const auto enter = reinterpret_cast<void*>(GetProcAddress(library, "CM_Register_Notification"));
    const auto leave =
        reinterpret_cast<void*>(GetProcAddress(library, "CM_Unregister_Notification"));
    if (enter == nullptr || leave == nullptr) return found;
    std::memcpy(&found.enter, &enter, sizeof enter);
    std::memcpy(&found.leave, &leave, sizeof leave);
    return found;
  }
};

class Registered : public Notice {
 public:
  ~Registered() override {
    if (handle_ != nullptr) functions_.leave(handle_);
  }

 protected:
  bool Start(CM_NOTIFY_FILTER* filter, PCM_NOTIFY_CALLBACK callback) {
    functions_ = Functions::Find();
    if (functions_.enter == nullptr) return false;
    filter->cbSize = sizeof *filter;
    if (functions_.enter(filter, this, callback, &handle_) == CR_SUCCESS) return true;
    handle_ = nullptr;
    return false;
  }

 private:
  Functions functions_;
  HCMNOTIFICATION handle_ = nullptr;
};

class HandleNotice : public Registered {
 public:
  explicit HandleNotice(std::function<void(DeviceEvent)> on_event)
      : on_event_(std::move(on_event)) {}

  bool Begin(HANDLE handle) {
    CM_NOTIFY_FILTER filter{};
    filter.FilterType = CM_NOTIFY_FILTER_TYPE_DEVICEHANDLE;
    filter.u.DeviceHandle.hTarget = handle;
    return Start(&filter, OnNotice);
  }

 private:
  static DWORD CALLBACK OnNotice(HCMNOTIFICATION, void* context, CM_NOTIFY_ACTION action,
                                 PCM_NOTIFY_EVENT_DATA data, DWORD) {
    const auto* const self = static_cast<HandleNotice*>(context);
    if (action == CM_NOTIFY_ACTION_DEVICECUSTOMEVENT) {
      const auto& event = data->u.DeviceHandle;
      StatusChange change;
      if (std::memcmp(&event.EventGuid, &kStatusChange, sizeof(GUID)) != 0) return ERROR_SUCCESS;
      if (event.DataSize < sizeof change) return ERROR_SUCCESS;
      std::memcpy(&change, event.Data, sizeof change);
      self->on_event_(change.connected != 0 ? DeviceEvent::kHostConnected : DeviceEvent::kHostAway);
    } else if (action == CM_NOTIFY_ACTION_DEVICEQUERYREMOVE ||
               action == CM_NOTIFY_ACTION_DEVICEREMOVEPENDING ||
               action == CM_NOTIFY_ACTION_DEVICEREMOVECOMPLETE) {
      self->on_event_(DeviceEvent::kRemoved);
    }
    return ERROR_SUCCESS;
  }

  const std::function<void(DeviceEvent)> on_event_;
};

class PortsNotice : public Registered {
 public:
  explicit PortsNotice(std::function<void()> on_change) : on_change_(std::move(on_change)) {}

  bool Begin() {
    CM_NOTIFY_FILTER filter{};
    filter.FilterType = CM_NOTIFY_FILTER_TYPE_DEVICEINTERFACE;
    filter.u.DeviceInterface.ClassGuid = kPortInterface;
    return Start(&filter, OnNotice);
  }

 private:
  static DWORD CALLBACK OnNotice(HCMNOTIFICATION, void* context, CM_NOTIFY_ACTION,
                                 PCM_NOTIFY_EVENT_DATA, DWORD) {
    static_cast<PortsNotice*>(context)->on_change_();
    return ERROR_SUCCESS;
  }

  const std::function<void()> on_change_;
};

}  // namespace

std::unique_ptr<Notice> Notice::OfHandle(HANDLE handle, std::function<void(DeviceEvent)> on_event) {
  auto notice = std::make_unique<HandleNotice>(std::move(on_event));
  if (!notice->Begin(handle)) return nullptr;
  return notice;
}

std::unique_ptr<Notice> Notice::OfPorts(std::function<void()> on_change) {
  auto notice = std::make_unique<PortsNotice>(std::move(on_change));
  if (!notice->Begin()) return nullptr;
  return notice;
}

}  // namespace limiquantix
