#include "port/device_win32.h"

#include <uv.h>

#include <utility>

#include "base/error_win32.h"
#include "base/unique_handle_win32.h"
#include "base/wide_win32.h"
#include "port/notice_win32.h"

namespace limiquantix {
namespace {

/// IOCTL_GET_INFORMATION of the driver.
constexpr DWORD kGetInformation = 0x222002;

/// How long the system waits for a device to be let go of that is to be removed.
constexpr DWORD kRemoveMs = 2000;

DWORD Started(BOOL ok) { return ok ? ERROR_SUCCESS : GetLastError(); }

class FileDevice : public Device {
 public:
  FileDevice(UniqueHandle handle, PortKind kind) : handle_(std::move(handle)), kind_(kind) {}
  ~FileDevice() override {
    handle_.Reset();
    if (closed_) SetEvent(closed_.get());
    notice_.reset();  // waits for a call that waits for closed_
  }

  PortKind kind() const override { return kind_; }

  DWORD Attach(HANDLE port) override {
    return Started(CreateIoCompletionPort(handle_.get(), port, 0, 0) != nullptr);
  }
  DWORD Read(void* buffer, DWORD bytes, OVERLAPPED* overlapped) override {
    return Started(ReadFile(handle_.get(), buffer, bytes, nullptr, overlapped));
  }
  DWORD Write(const void* buffer, DWORD bytes, OVERLAPPED* overlapped) override {
    return Started(WriteFile(handle_.get(), buffer, bytes, nullptr, overlapped));
  }
  DWORD Query(void* buffer, DWORD bytes, OVERLAPPED* overlapped) override {
    return Started(DeviceIoControl(handle_.get(), kGetInformation, nullptr, 0, buffer, bytes,
                                   nullptr, overlapped));
  }
  DWORD Outcome(OVERLAPPED* overlapped, DWORD* bytes) override {
    return Started(GetOverlappedResult(handle_.get(), overlapped, bytes, FALSE));
  }
  void Cancel(OVERLAPPED* overlapped) override { CancelIoEx(handle_.get(), overlapped); }

  bool Watch(std::function<void(DeviceEvent)> on_event) override {
    closed_.Reset(CreateEventW(nullptr, TRUE, FALSE, nullptr));
    if (!closed_) return false;
    notice_ = Notice::OfHandle(
        handle_.get(), [on_event = std::move(on_event), closed = closed_.get()](DeviceEvent event) {
          on_event(event);
          if (event == DeviceEvent::kRemoved) WaitForSingleObject(closed, kRemoveMs);
        });
    return notice_ != nullptr;
  }

 private:
  UniqueHandle handle_;
  const PortKind kind_;
  UniqueHandle closed_;
  std::unique_ptr<Notice> notice_;
};

/// A member of Administrators, as the system's own account is, is denied what is not its own only
/// because somebody else has it open.
bool IsAdministrator() {
  SID_IDENTIFIER_AUTHORITY authority = SECURITY_NT_AUTHORITY;
  PSID group = nullptr;
  if (!AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS,
                                0, 0, 0, 0, 0, 0, &group)) {
    return false;
  }
  BOOL is_member = FALSE;
  if (!CheckTokenMembership(nullptr, group, &is_member)) is_member = FALSE;
  FreeSid(group);
  return is_member != FALSE;
}

SysError OpenError(DWORD error) {
  switch (error) {
    case ERROR_SHARING_VIOLATION:
    case ERROR_BUSY:
    case ERROR_PIPE_BUSY:
      return SysError{-UV_EBUSY, "open", error};
    case ERROR_ACCESS_DENIED:
      return SysError{IsAdministrator() ? -UV_EBUSY : -UV_EACCES, "open", error};
    case ERROR_BAD_PATHNAME:
    case ERROR_INVALID_NAME:
      return SysError{-UV_ENOENT, "open", error};
    default:
      return WindowsError(error, "open");
  }
}

Result<UniqueHandle> Open(const std::string& path, DWORD flags) {
  UniqueHandle handle(CreateFileW(Wide(path).c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr,
                                  OPEN_EXISTING, FILE_FLAG_OVERLAPPED | flags, nullptr));
  if (!handle) return OpenError(GetLastError());
  return handle;
}

}  // namespace

Result<std::unique_ptr<Device>> OpenDevice(const std::string& path) {
  Result<UniqueHandle> handle = Open(path, 0);
  if (!handle.ok()) return handle.error();
  // A serial line, which else has a read wait until all of its buffer is full. The driver of virtio
  // ports knows nothing of it.
  COMMTIMEOUTS timeouts{};
  timeouts.ReadIntervalTimeout = 1;
  const bool is_line = SetCommTimeouts(handle.value().get(), &timeouts) != FALSE;
  return AdoptHandle(handle.value().Release(), is_line ? PortKind::kTerminal : PortKind::kVirtio);
}

Result<std::unique_ptr<Device>> ConnectPipe(const std::string& path) {
  // Who serves it may learn who we are, and not act for us.
  Result<UniqueHandle> handle = Open(path, SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION);
  if (!handle.ok()) return SysError{handle.error().code, "connect", handle.error().windows};
  return AdoptHandle(handle.value().Release(), PortKind::kSocket);
}

std::unique_ptr<Device> AdoptHandle(HANDLE handle, PortKind kind) {
  return std::make_unique<FileDevice>(UniqueHandle(handle), kind);
}

}  // namespace limiquantix
