#include "base/privilege_win32.h"

namespace limiquantix {
namespace {

constexpr SysError kNoError{0, nullptr, 0};

}  // namespace

Privilege::~Privilege() {
  if (before_.PrivilegeCount == 0) return;
  AdjustTokenPrivileges(token_.get(), FALSE, &before_, 0, nullptr, nullptr);
}

SysError Privilege::Enable(const wchar_t* name) {
  if (const SysError error = RefusedByWine("AdjustTokenPrivileges"); error.code != 0) return error;
  TOKEN_PRIVILEGES wanted{};
  wanted.PrivilegeCount = 1;
  wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
  if (!LookupPrivilegeValueW(nullptr, name, &wanted.Privileges[0].Luid)) {
    return LastError("LookupPrivilegeValueW");
  }
  HANDLE token = nullptr;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token)) {
    return LastError("OpenProcessToken");
  }
  token_.Reset(token);
  DWORD bytes = sizeof before_;
  if (!AdjustTokenPrivileges(token, FALSE, &wanted, bytes, &before_, &bytes)) {
    return LastError("AdjustTokenPrivileges");
  }
  // It also succeeds when there is nothing to enable.
  if (GetLastError() == ERROR_SUCCESS) return kNoError;
  return WindowsError(ERROR_PRIVILEGE_NOT_HELD, "AdjustTokenPrivileges");
}

SysError RefusedByWine(const char* call) {
  const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  const bool is_wine = ntdll != nullptr && GetProcAddress(ntdll, "wine_get_version") != nullptr;
  return is_wine ? WindowsError(ERROR_NOT_SUPPORTED, call) : kNoError;
}

}  // namespace limiquantix
