#include <windows.h>
//
#include <aclapi.h>
#include <sddl.h>

#include <memory>
#include <string>

#include "base/error_win32.h"
#include "base/napi_error.h"
#include "base/unique_handle_win32.h"
#include "base/wide_win32.h"
#include "service/service.h"
#include "service/text_argument_win32.h"

namespace limiquantix {
namespace {

constexpr size_t kLongestPath = 4 * 1024;

// Owned by Administrators; full control for SYSTEM and Administrators, inherited by all in it, and
// nothing inherited from above: whoever may write there can have the service do what he likes.
constexpr wchar_t kProtected[] = L"O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

struct FreeLocal {
  void operator()(void* memory) const { LocalFree(memory); }
};
using Descriptor = std::unique_ptr<void, FreeLocal>;

/// Whoever this process runs as: he who may install services is an administrator.
bool IsCaller(PSID owner) {
  HANDLE opened = nullptr;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &opened) == 0) return false;
  const UniqueHandle token(opened);
  alignas(TOKEN_USER) BYTE buffer[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  DWORD length = 0;
  return GetTokenInformation(token.get(), TokenUser, buffer, sizeof buffer, &length) != 0 &&
         EqualSid(reinterpret_cast<TOKEN_USER*>(buffer)->User.Sid, owner) != 0;
}

/// SYSTEM, Administrators, TrustedInstaller, and who asks.
bool IsTrusted(PSID owner) {
  if (IsWellKnownSid(owner, WinLocalSystemSid) != 0) return true;
  if (IsWellKnownSid(owner, WinBuiltinAdministratorsSid) != 0 || IsCaller(owner)) return true;
  wchar_t* text = nullptr;
  if (ConvertSidToStringSidW(owner, &text) == 0) return false;
  const std::unique_ptr<wchar_t, FreeLocal> holder(text);
  return std::wstring(text) == L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
}

/// Makes the folder, or takes one that is there already and belongs to somebody trusted.
SysError Protect(const std::wstring& path) {
  void* memory = nullptr;
  if (ConvertStringSecurityDescriptorToSecurityDescriptorW(kProtected, SDDL_REVISION_1, &memory,
                                                           nullptr) == 0) {
    return LastError("ConvertStringSecurityDescriptor");
  }
  const Descriptor wanted(memory);
  SECURITY_ATTRIBUTES attributes{sizeof attributes, wanted.get(), FALSE};
  if (CreateDirectoryW(path.c_str(), &attributes) != 0) return SysError{0, ""};
  if (GetLastError() != ERROR_ALREADY_EXISTS) return LastError("CreateDirectory");

  // Not followed when it is a link; what is looked at below is what is changed.
  const UniqueHandle folder(CreateFileW(
      path.c_str(), READ_CONTROL | WRITE_DAC | WRITE_OWNER, FILE_SHARE_READ | FILE_SHARE_WRITE,
      nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
  if (!folder) return LastError("CreateFile");
  BY_HANDLE_FILE_INFORMATION information{};
  if (GetFileInformationByHandle(folder.get(), &information) == 0) {
    return LastError("GetFileInformationByHandle");
  }
  if ((information.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
    return WindowsError(ERROR_CANT_ACCESS_FILE, "CreateFile");
  }
  if ((information.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
    return WindowsError(ERROR_DIRECTORY, "CreateFile");
  }
  PSID owner = nullptr;
  void* found = nullptr;
  DWORD error = GetSecurityInfo(folder.get(), SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner,
                                nullptr, nullptr, nullptr, &found);
  if (error != ERROR_SUCCESS) return WindowsError(error, "GetSecurityInfo");
  const Descriptor holder(found);
  if (!IsTrusted(owner)) return WindowsError(ERROR_INVALID_OWNER, "GetSecurityInfo");
  BOOL present = FALSE, defaulted = FALSE;
  ACL* list = nullptr;
  if (GetSecurityDescriptorDacl(wanted.get(), &present, &list, &defaulted) == 0) {
    return LastError("GetSecurityDescriptorDacl");
  }
  PSID administrators = nullptr;
  if (GetSecurityDescriptorOwner(wanted.get(), &administrators, &defaulted) == 0) {
    return LastError("GetSecurityDescriptorOwner");
  }
  constexpr SECURITY_INFORMATION kParts =
      OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
  error =
      SetSecurityInfo(folder.get(), SE_FILE_OBJECT, kParts, administrators, nullptr, list, nullptr);
  return error == ERROR_SUCCESS ? SysError{0, ""} : WindowsError(error, "SetSecurityInfo");
}

/// protectFolder(path)
void ProtectFolder(const Napi::CallbackInfo& info) {
  std::wstring path;
  if (!ReadText(info[0], kLongestPath, "a path", &path)) return;
  const SysError error = Protect(path);
  if (error.code != 0) {
    NodeError(info.Env(), error, info[0].As<Napi::String>().Utf8Value())
        .ThrowAsJavaScriptException();
  }
}

}  // namespace

void RegisterFolderOfService(Napi::Env env, Napi::Object exports) {
  exports.Set("protectFolder", Napi::Function::New<ProtectFolder>(env, "protectFolder"));
}

}  // namespace limiquantix
