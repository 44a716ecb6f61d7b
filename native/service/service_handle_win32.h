#pragma once

#include <windows.h>

#include <string>
#include <utility>

#include "base/error_win32.h"

namespace limiquantix {

/// Owns a handle of the service control manager, or of a service. Move-only.
class ServiceHandle {
 public:
  explicit ServiceHandle(SC_HANDLE handle = nullptr) : handle_(handle) {}
  ServiceHandle(ServiceHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  ServiceHandle& operator=(ServiceHandle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~ServiceHandle() {
    if (handle_ != nullptr) CloseServiceHandle(handle_);
  }

  SC_HANDLE get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  SC_HANDLE handle_;
};

inline Result<ServiceHandle> OpenManager(DWORD access) {
  ServiceHandle manager(OpenSCManagerW(nullptr, nullptr, access));
  if (!manager) return LastError("OpenSCManager");
  return manager;
}

inline Result<ServiceHandle> OpenInstalled(const std::wstring& name, DWORD access) {
  Result<ServiceHandle> manager = OpenManager(SC_MANAGER_CONNECT);
  if (!manager.ok()) return manager.error();
  ServiceHandle service(OpenServiceW(manager.value().get(), name.c_str(), access));
  if (!service) return LastError("OpenService");
  return service;
}

}  // namespace limiquantix
