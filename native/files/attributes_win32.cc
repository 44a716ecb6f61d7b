#include <aclapi.h>
#include <uv.h>

#include <memory>
#include <string>

#include "base/error_win32.h"
#include "files/files.h"
#include "files/work_win32.h"

namespace limiquantix {
namespace {

constexpr int64_t kUnixEpoch = 116444736000000000;  // in units of 100 ns since 1601

/// What is set of a file; what is not stays.
struct Change {
  HANDLE file;
  bool has_read_only = false, read_only = false;
  int64_t accessed = 0, modified = 0;  ///< in units of 100 ns since 1601
};

SysError ApplyTo(HANDLE file, const Change& change) {
  FILE_BASIC_INFO basic;
  if (!GetFileInformationByHandleEx(file, FileBasicInfo, &basic, sizeof basic)) {
    return LastError("GetFileInformationByHandleEx");
  }
  const bool is_folder = (basic.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
  FILE_BASIC_INFO wanted{};  // 0 leaves each
  wanted.LastAccessTime.QuadPart = change.accessed;
  wanted.LastWriteTime.QuadPart = change.modified;
  if (change.has_read_only && !is_folder) {
    DWORD attributes = basic.FileAttributes & ~static_cast<DWORD>(FILE_ATTRIBUTE_READONLY);
    if (change.read_only) attributes |= FILE_ATTRIBUTE_READONLY;
    wanted.FileAttributes = attributes != 0 ? attributes : FILE_ATTRIBUTE_NORMAL;
  }
  if (!SetFileInformationByHandle(file, FileBasicInfo, &wanted, sizeof wanted)) {
    return LastError("SetFileInformationByHandle");
  }
  return kNoError;
}

/// By a handle that may do that, or else by another one for the same file.
SysError Apply(const Change& change) {
  const SysError error = ApplyTo(change.file, change);
  if (error.windows != ERROR_ACCESS_DENIED) return error;
  OpenHow how;
  how.access = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
  how.options = FILE_OPEN_REPARSE_POINT;
  Result<UniqueHandle> file = OpenAt(change.file, {}, how);
  return file.ok() ? ApplyTo(file.value().get(), change) : file.error();
}

/// From nanoseconds since 1970, cut off; 0 for what is not given or is before 1601.
int64_t FileTime(const Napi::Value& value) {
  if (!value.IsBigInt()) return 0;
  bool is_whole = false;
  const int64_t nanoseconds = value.As<Napi::BigInt>().Int64Value(&is_whole);
  const int64_t units = nanoseconds / 100 - (nanoseconds % 100 < 0 ? 1 : 0);
  return std::max<int64_t>(units + kUnixEpoch, 1);
}

/// setAttributes(fd, read only?, accessed?, modified?)
Napi::Value SetAttributes(const Napi::CallbackInfo& info) {
  Change change;
  change.file = HandleArgument(info[0]);
  change.has_read_only = info[1].IsBoolean();
  change.read_only = change.has_read_only && info[1].As<Napi::Boolean>();
  change.accessed = FileTime(info[2]);
  change.modified = FileTime(info[3]);
  return Work::Start(
      info.Env(), "limiquantix.SetAttributes", [change] { return Apply(change); }, Nothing);
}

/// Who may do what with `from` may do it with `to` afterwards, as far as we may say so.
SysError CopySecurity(HANDLE from, HANDLE to) {
  OpenHow how;
  how.options = FILE_OPEN_REPARSE_POINT;
  how.access = READ_CONTROL;
  Result<UniqueHandle> source = OpenAt(from, {}, how);
  if (!source.ok()) return source.error();
  PSID owner = nullptr, group = nullptr;
  PACL list = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const SECURITY_INFORMATION all =
      OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
  DWORD code = GetSecurityInfo(source.value().get(), SE_FILE_OBJECT, all, &owner, &group, &list,
                               nullptr, &descriptor);
  if (code != ERROR_SUCCESS) return WindowsError(code, "GetSecurityInfo");
  SECURITY_DESCRIPTOR_CONTROL control = 0;
  DWORD revision = 0;
  GetSecurityDescriptorControl(descriptor, &control, &revision);
  const SECURITY_INFORMATION inheritance = (control & SE_DACL_PROTECTED)
                                               ? PROTECTED_DACL_SECURITY_INFORMATION
                                               : UNPROTECTED_DACL_SECURITY_INFORMATION;
  how.access = WRITE_DAC;
  Result<UniqueHandle> target = OpenAt(to, {}, how);
  code = ERROR_SUCCESS;
  if (target.ok()) {
    code =
        SetSecurityInfo(target.value().get(), SE_FILE_OBJECT,
                        DACL_SECURITY_INFORMATION | inheritance, nullptr, nullptr, list, nullptr);
  }
  // To give a file away takes a privilege; without it the owner is the agent's, as on other
  // systems.
  how.access = WRITE_OWNER;
  Result<UniqueHandle> owned = OpenAt(to, {}, how);
  if (owned.ok()) {
    SetSecurityInfo(owned.value().get(), SE_FILE_OBJECT,
                    OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION, owner, group, nullptr,
                    nullptr);
  }
  LocalFree(descriptor);
  if (!target.ok()) return target.error();
  return code == ERROR_SUCCESS ? kNoError : WindowsError(code, "SetSecurityInfo");
}

/// copySecurity(from, to)
Napi::Value CopySecurityOf(const Napi::CallbackInfo& info) {
  const HANDLE from = HandleArgument(info[0]);
  const HANDLE to = HandleArgument(info[1]);
  return Work::Start(
      info.Env(), "limiquantix.CopySecurity", [from, to] { return CopySecurity(from, to); },
      Nothing);
}

constexpr DWORD kLongestPath = 32768;

/// finalPath(fd): where it is, without links and short names.
Napi::Value FinalPath(const Napi::CallbackInfo& info) {
  const HANDLE file = HandleArgument(info[0]);
  const auto path = std::make_shared<std::wstring>();
  return Work::Start(
      info.Env(), "limiquantix.FinalPath",
      [file, path]() -> SysError {
        path->resize(kLongestPath);
        const DWORD length = GetFinalPathNameByHandleW(file, path->data(), kLongestPath,
                                                       FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
        if (length == 0) return LastError("GetFinalPathNameByHandleW");
        if (length >= kLongestPath) return SysError{-UV_ENAMETOOLONG, "GetFinalPathNameByHandleW"};
        path->resize(length);
        return kNoError;
      },
      [path](Napi::Env env) { return ToString(env, *path); });
}

}  // namespace

void RegisterAttributes(Napi::Env env, Napi::Object exports) {
  exports.Set("setAttributes", Napi::Function::New<SetAttributes>(env, "setAttributes"));
  exports.Set("copySecurity", Napi::Function::New<CopySecurityOf>(env, "copySecurity"));
  exports.Set("finalPath", Napi::Function::New<FinalPath>(env, "finalPath"));
}

}  // namespace limiquantix
