#include <ntstatus.h>
#include <uv.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/error_win32.h"
#include "files/files.h"
#include "files/reparse_win32.h"
#include "files/work_win32.h"

namespace limiquantix {
namespace {

// Of FILE_INFORMATION_CLASS in wdm.h and ntifs.h.
constexpr int kRenameInformation = 10, kLinkInformation = 11, kDispositionInformation = 13;
constexpr int kDispositionInformationEx = 64, kRenameInformationEx = 65;

// Flags of the two with Ex, which NTFS has since Windows 10 1709.
constexpr ULONG kReplace = 1, kRenamePosix = 2, kRenameIgnoreReadOnly = 0x40;
constexpr ULONG kDelete = 1, kDeletePosix = 2, kDeleteIgnoreReadOnly = 0x10;

/// FILE_RENAME_INFORMATION and FILE_LINK_INFORMATION up to the name.
struct NameHead {
  ULONG flags;  ///< or a BOOLEAN: replace what is there
  HANDLE folder;
  ULONG name_bytes;
};
constexpr size_t kNameAt = offsetof(NameHead, name_bytes) + sizeof(ULONG);

NTSTATUS Set(HANDLE file, int information, void* data, size_t bytes) {
  IO_STATUS_BLOCK io;
  return NtSetInformationFile(file, &io, data, static_cast<ULONG>(bytes),
                              static_cast<FILE_INFORMATION_CLASS>(information));
}

NTSTATUS SetName(HANDLE file, int information, ULONG flags, HANDLE folder,
                 const std::wstring& name) {
  const size_t name_bytes = name.size() * sizeof(wchar_t);
  std::vector<char> data(sizeof(NameHead) + name_bytes);
  const NameHead head{flags, folder, static_cast<ULONG>(name_bytes)};
  std::memcpy(data.data(), &head, sizeof head);
  std::memcpy(data.data() + kNameAt, name.data(), name_bytes);
  return Set(file, information, data.data(), data.size());
}

/// Whether a file system, or a Windows, does not know the call.
bool IsUnknown(NTSTATUS status) {
  return status == static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER) ||
         status == STATUS_INVALID_INFO_CLASS || status == STATUS_NOT_IMPLEMENTED ||
         status == STATUS_NOT_SUPPORTED || status == STATUS_INVALID_DEVICE_REQUEST;
}

Result<UniqueHandle> OpenItself(HANDLE folder, const std::wstring& name, ACCESS_MASK access) {
  OpenHow how;
  how.access = access;
  how.options = FILE_OPEN_REPARSE_POINT;
  return OpenAt(folder, name, how);
}

/// Who has the target open without sharing it is the cause that Windows calls "access denied".
SysError Refused(NTSTATUS status, const char* call, HANDLE folder, const std::wstring& name) {
  if (status == STATUS_ACCESS_DENIED) {
    const Result<UniqueHandle> target = OpenItself(folder, name, DELETE);
    if (!target.ok() && target.error().code == -UV_EBUSY) return target.error();
  }
  return NtError(status, call);
}

struct Pair {
  HANDLE from_folder, to_folder;
  std::wstring from, to;
  bool replace = false;
};

SysError Rename(const Pair& pair) {
  Result<UniqueHandle> file =
      OpenItself(pair.from_folder, pair.from, DELETE | FILE_READ_ATTRIBUTES);
  if (!file.ok()) return file.error();
  const HANDLE handle = file.value().get();
  const ULONG flags = kRenamePosix | (pair.replace ? kReplace | kRenameIgnoreReadOnly : 0);
  NTSTATUS status = SetName(handle, kRenameInformationEx, flags, pair.to_folder, pair.to);
  if (IsUnknown(status)) {
    status = SetName(handle, kRenameInformation, pair.replace ? 1 : 0, pair.to_folder, pair.to);
  }
  return status < 0 ? Refused(status, "rename", pair.to_folder, pair.to) : kNoError;
}

SysError Link(const Pair& pair) {
  Result<UniqueHandle> file =
      OpenItself(pair.from_folder, pair.from, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES);
  if (!file.ok()) return file.error();
  const NTSTATUS status = SetName(file.value().get(), kLinkInformation, 0, pair.to_folder, pair.to);
  return status < 0 ? NtError(status, "link") : kNoError;
}

NTSTATUS Dispose(HANDLE file) {
  ULONG flags = kDelete | kDeletePosix | kDeleteIgnoreReadOnly;
  NTSTATUS status = Set(file, kDispositionInformationEx, &flags, sizeof flags);
  if (!IsUnknown(status)) return status;
  BOOLEAN yes = TRUE;
  return Set(file, kDispositionInformation, &yes, sizeof yes);
}

/// Where a file system does not ignore the attribute for us.
SysError ClearReadOnly(HANDLE folder, const std::wstring& name) {
  Result<UniqueHandle> file =
      OpenItself(folder, name, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES);
  if (!file.ok()) return file.error();
  FILE_BASIC_INFO basic;
  if (!GetFileInformationByHandleEx(file.value().get(), FileBasicInfo, &basic, sizeof basic)) {
    return LastError("GetFileInformationByHandleEx");
  }
  basic.FileAttributes &= ~static_cast<DWORD>(FILE_ATTRIBUTE_READONLY);
  if (basic.FileAttributes == 0) basic.FileAttributes = FILE_ATTRIBUTE_NORMAL;  // 0 leaves them
  if (!SetFileInformationByHandle(file.value().get(), FileBasicInfo, &basic, sizeof basic)) {
    return LastError("SetFileInformationByHandle");
  }
  return kNoError;
}

/// What is at a name: a file or link, or an empty folder. A link is removed itself, a mounted
/// volume not.
SysError Remove(HANDLE folder, const std::wstring& name, bool want_folder) {
  Result<UniqueHandle> file = OpenItself(folder, name, DELETE | FILE_READ_ATTRIBUTES);
  if (!file.ok()) return file.error();
  const HANDLE handle = file.value().get();
  uint32_t attributes = 0, tag = 0;
  if (SysError error = ReadTag(handle, &attributes, &tag); error.code != 0) return error;
  const bool is_link = IsLinkTag(tag);
  const bool is_folder = (attributes & FILE_ATTRIBUTE_DIRECTORY) && !is_link;
  if (is_folder != want_folder) return SysError{is_folder ? -UV_EISDIR : -UV_ENOTDIR, "unlink"};
  Reparse link;
  if (is_link && ReadLink(handle, &link).code == 0 && IsVolumeMount(link)) {
    return SysError{-UV_EBUSY, "unlink"};
  }
  NTSTATUS status = Dispose(handle);
  if (status == STATUS_CANNOT_DELETE && (attributes & FILE_ATTRIBUTE_READONLY)) {
    if (SysError error = ClearReadOnly(folder, name); error.code != 0) return error;
    status = Dispose(handle);
  }
  return status < 0 ? NtError(status, "unlink") : kNoError;
}

/// Administrators may have the privilege and not have switched it on.
void AllowSymlinks() {
  HANDLE opened = nullptr;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &opened)) return;
  const UniqueHandle token(opened);
  TOKEN_PRIVILEGES wanted{};
  wanted.PrivilegeCount = 1;
  wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
  if (!LookupPrivilegeValueW(nullptr, L"SeCreateSymbolicLinkPrivilege",
                             &wanted.Privileges[0].Luid)) {
    return;
  }
  AdjustTokenPrivileges(token.get(), FALSE, &wanted, 0, nullptr, nullptr);
}

struct Symlink {
  HANDLE folder;
  std::wstring name, target, print;
  bool is_relative, is_folder;
};

SysError MakeSymlink(const Symlink& link) {
  AllowSymlinks();  // without it Windows refuses below, and says why
  OpenHow how;
  how.access = DELETE | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | FILE_WRITE_DATA;
  how.disposition = FILE_CREATE;
  how.options =
      FILE_OPEN_REPARSE_POINT | (link.is_folder ? FILE_DIRECTORY_FILE : FILE_NON_DIRECTORY_FILE);
  Result<UniqueHandle> made = OpenAt(link.folder, link.name, how);
  if (!made.ok()) return made.error();
  const SysError error = WriteLink(made.value().get(), link.target, link.print, link.is_relative);
  if (error.code != 0) Dispose(made.value().get());
  return error;
}

bool IsFolder(HANDLE handle) { return handle != INVALID_HANDLE_VALUE; }

Napi::Value Wrong(Napi::Env env) {
  Napi::TypeError::New(env, "descriptors of open folders, and names").ThrowAsJavaScriptException();
  return env.Undefined();
}

/// renameIn(from folder, from, to folder, to, replace), linkIn(the same)
template <SysError (*act)(const Pair&)>
Napi::Value WithPair(const Napi::CallbackInfo& info) {
  const Pair pair{HandleArgument(info[0]), HandleArgument(info[2]), WideArgument(info[1]),
                  WideArgument(info[3]), info[4].ToBoolean()};
  if (!IsFolder(pair.from_folder) || !IsFolder(pair.to_folder) || !IsName(pair.from) ||
      !IsName(pair.to)) {
    return Wrong(info.Env());
  }
  return Work::Start(
      info.Env(), "limiquantix.Name", [pair] { return act(pair); }, Nothing);
}

/// removeIn(folder, name, is a folder)
Napi::Value RemoveIn(const Napi::CallbackInfo& info) {
  const HANDLE folder = HandleArgument(info[0]);
  const std::wstring name = WideArgument(info[1]);
  const bool want_folder = info[2].ToBoolean();
  if (!IsFolder(folder) || !IsName(name)) return Wrong(info.Env());
  return Work::Start(
      info.Env(), "limiquantix.Remove",
      [folder, name, want_folder] { return Remove(folder, name, want_folder); }, Nothing);
}

/// symlinkIn(folder, name, target, print, is relative, to a folder)
Napi::Value SymlinkIn(const Napi::CallbackInfo& info) {
  const Symlink link{HandleArgument(info[0]), WideArgument(info[1]), WideArgument(info[2]),
                     WideArgument(info[3]),   info[4].ToBoolean(),   info[5].ToBoolean()};
  if (!IsFolder(link.folder) || !IsName(link.name)) return Wrong(info.Env());
  return Work::Start(
      info.Env(), "limiquantix.Symlink", [link] { return MakeSymlink(link); }, Nothing);
}

}  // namespace

void RegisterNames(Napi::Env env, Napi::Object exports) {
  exports.Set("renameIn", Napi::Function::New<WithPair<Rename>>(env, "renameIn"));
  exports.Set("linkIn", Napi::Function::New<WithPair<Link>>(env, "linkIn"));
  exports.Set("removeIn", Napi::Function::New<RemoveIn>(env, "removeIn"));
  exports.Set("symlinkIn", Napi::Function::New<SymlinkIn>(env, "symlinkIn"));
}

}  // namespace limiquantix
