#pragma once

#include <windows.h>
//
#include <winternl.h>

#include <string_view>

#include "base/result.h"
#include "base/unique_handle_win32.h"

namespace limiquantix {

inline constexpr SysError kNoError{0, nullptr};

/// What a file is opened by: NtCreateFile's arguments of these names.
struct OpenHow {
  ACCESS_MASK access = FILE_READ_ATTRIBUTES;  ///< SYNCHRONIZE is added
  ULONG disposition = FILE_OPEN;
  ULONG options = 0;     ///< FILE_SYNCHRONOUS_IO_NONALERT is added
  ULONG attributes = 0;  ///< of a new file
};

/// An NTSTATUS as an errno, with the number that Windows has for it.
SysError NtError(NTSTATUS status, const char* call);

/// Opens `name` in the folder `root`: nothing but what is in that folder, whatever has become of
/// its path. Empty: that folder, or file, once more. Without a root, `name` is the path of an NT
/// object. Whoever else has it open, or will, is not disturbed.
Result<UniqueHandle> OpenAt(HANDLE root, std::wstring_view name, const OpenHow& how);

/// Whether it is one name: neither a path nor that of a stream.
bool IsName(std::wstring_view name);

}  // namespace limiquantix
