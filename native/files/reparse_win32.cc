#include "files/reparse_win32.h"

#include <uv.h>
#include <winioctl.h>

#include <cstring>
#include <vector>

#include "base/error_win32.h"

namespace limiquantix {
namespace {

constexpr uint32_t kNameSurrogate = 0x20000000;  // IsReparseTagNameSurrogate
constexpr uint32_t kRelative = 1;                // SYMLINK_FLAG_RELATIVE

/// REPARSE_DATA_BUFFER of ntifs.h up to PathBuffer; a junction has no flags.
struct Head {
  ULONG tag;
  USHORT data_bytes;
  USHORT reserved;
  USHORT target_at, target_bytes;
  USHORT print_at, print_bytes;
};
constexpr size_t kHeaderBytes = 8;

}  // namespace

bool IsLinkTag(uint32_t tag) { return (tag & kNameSurrogate) != 0; }

SysError ReadTag(HANDLE file, uint32_t* attributes, uint32_t* tag) {
  FILE_ATTRIBUTE_TAG_INFO info;
  if (!GetFileInformationByHandleEx(file, FileAttributeTagInfo, &info, sizeof info)) {
    return LastError("GetFileInformationByHandleEx");
  }
  *attributes = info.FileAttributes;
  *tag = (info.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) ? info.ReparseTag : 0;
  return kNoError;
}

SysError ReadLink(HANDLE file, Reparse* link) {
  alignas(Head) char buffer[MAXIMUM_REPARSE_DATA_BUFFER_SIZE];
  DWORD bytes = 0;
  if (!DeviceIoControl(file, FSCTL_GET_REPARSE_POINT, nullptr, 0, buffer, sizeof buffer, &bytes,
                       nullptr)) {
    if (GetLastError() == ERROR_NOT_A_REPARSE_POINT) return SysError{-UV_EINVAL, "readlink"};
    return LastError("FSCTL_GET_REPARSE_POINT");
  }
  Head head;
  if (bytes < sizeof head) return SysError{-UV_EINVAL, "readlink"};
  std::memcpy(&head, buffer, sizeof head);
  const bool is_symlink = head.tag == IO_REPARSE_TAG_SYMLINK;
  if (!is_symlink && head.tag != IO_REPARSE_TAG_MOUNT_POINT)
    return SysError{-UV_EINVAL, "readlink"};
  size_t at = sizeof head;
  ULONG flags = 0;
  if (is_symlink) {
    if (bytes < at + sizeof flags) return SysError{-UV_EINVAL, "readlink"};
    std::memcpy(&flags, buffer + at, sizeof flags);
    at += sizeof flags;
  }
  // Whoever made it may have written anything.
  if (at + head.target_at + head.target_bytes > bytes) return SysError{-UV_EINVAL, "readlink"};
  link->tag = head.tag;
  link->is_relative = (flags & kRelative) != 0;
  link->target.resize(head.target_bytes / sizeof(wchar_t));
  std::memcpy(link->target.data(), buffer + at + head.target_at,
              link->target.size() * sizeof(wchar_t));
  return kNoError;
}

SysError WriteLink(HANDLE file, const std::wstring& target, const std::wstring& print,
                   bool is_relative) {
  const size_t target_bytes = target.size() * sizeof(wchar_t);
  const size_t print_bytes = print.size() * sizeof(wchar_t);
  const size_t total = sizeof(Head) + sizeof(ULONG) + target_bytes + print_bytes;
  if (total > MAXIMUM_REPARSE_DATA_BUFFER_SIZE) return SysError{-UV_ENAMETOOLONG, "symlink"};
  std::vector<char> buffer(total);
  const Head head{IO_REPARSE_TAG_SYMLINK,
                  static_cast<USHORT>(total - kHeaderBytes),
                  0,
                  0,
                  static_cast<USHORT>(target_bytes),
                  static_cast<USHORT>(target_bytes),
                  static_cast<USHORT>(print_bytes)};
  const ULONG flags = is_relative ? kRelative : 0;
  char* at = buffer.data();
  const auto put = [&at](const void* from, size_t bytes) {
    if (bytes > 0) std::memcpy(at, from, bytes);
    at += bytes;
  };
  put(&head, sizeof head);
  put(&flags, sizeof flags);
  put(target.data(), target_bytes);
  put(print.data(), print_bytes);
  DWORD bytes = 0;
  if (!DeviceIoControl(file, FSCTL_SET_REPARSE_POINT, buffer.data(), static_cast<DWORD>(total),
                       nullptr, 0, &bytes, nullptr)) {
    return LastError("FSCTL_SET_REPARSE_POINT");
  }
  return kNoError;
}

bool IsVolumeMount(const Reparse& link) {
  return link.tag == IO_REPARSE_TAG_MOUNT_POINT && link.target.rfind(L"\\??\\Volume{", 0) == 0;
}

}  // namespace limiquantix
