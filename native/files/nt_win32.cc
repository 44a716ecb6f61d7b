#include "files/nt_win32.h"

#include <ntstatus.h>
#include <uv.h>

#include "base/error_win32.h"

namespace limiquantix {
namespace {

constexpr ULONG kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
constexpr size_t kLongestName = 32767;

/// Those that Windows and libuv put together with others.
int ErrnoOf(NTSTATUS status) {
  switch (status) {
    case STATUS_OBJECT_NAME_NOT_FOUND:
    case STATUS_OBJECT_PATH_NOT_FOUND:
    case STATUS_NO_SUCH_FILE:
      return -UV_ENOENT;
    case STATUS_OBJECT_NAME_COLLISION:
      return -UV_EEXIST;
    case STATUS_FILE_IS_A_DIRECTORY:
      return -UV_EISDIR;
    case STATUS_NOT_A_DIRECTORY:
      return -UV_ENOTDIR;
    case STATUS_DIRECTORY_NOT_EMPTY:
      return -UV_ENOTEMPTY;
    case STATUS_SHARING_VIOLATION:
    case STATUS_DELETE_PENDING:
      return -UV_EBUSY;
    case STATUS_NOT_SAME_DEVICE:
      return -UV_EXDEV;
    default:
      return 0;
  }
}

}  // namespace

SysError NtError(NTSTATUS status, const char* call) {
  const DWORD code = status == STATUS_DELETE_PENDING ? static_cast<DWORD>(ERROR_DELETE_PENDING)
                                                     : RtlNtStatusToDosError(status);
  SysError error = WindowsError(code, call);
  if (const int known = ErrnoOf(status); known != 0) error.code = known;
  return error;
}

bool IsName(std::wstring_view name) {
  return !name.empty() && name != L"." && name != L".." &&
         name.find_first_of(std::wstring_view(L"\\/:\0", 4)) == std::wstring_view::npos;
}

Result<UniqueHandle> OpenAt(HANDLE root, std::wstring_view name, const OpenHow& how) {
  if (name.size() >= kLongestName) return SysError{-UV_ENAMETOOLONG, "NtCreateFile"};
  UNICODE_STRING text;
  text.Buffer = const_cast<wchar_t*>(name.data());
  text.Length = text.MaximumLength = static_cast<USHORT>(name.size() * sizeof(wchar_t));
  OBJECT_ATTRIBUTES object;
  InitializeObjectAttributes(&object, &text, OBJ_CASE_INSENSITIVE, root, nullptr);
  IO_STATUS_BLOCK io;
  HANDLE handle = nullptr;
  const auto open = [&](ACCESS_MASK access) {
    return NtCreateFile(&handle, access | SYNCHRONIZE, &object, &io, nullptr, how.attributes,
                        kShareAll, how.disposition,
                        how.options | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT,
                        nullptr, 0);
  };
  NTSTATUS status = open(how.access);
  // Whose it is need not be told to do the rest.
  const ACCESS_MASK rest = how.access & ~static_cast<ACCESS_MASK>(READ_CONTROL);
  if (status == STATUS_ACCESS_DENIED && rest != how.access && rest != 0) status = open(rest);
  if (status < 0) return NtError(status, "NtCreateFile");
  return UniqueHandle(handle);
}

}  // namespace limiquantix
