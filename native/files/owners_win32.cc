#include <windows.h>
//
#include <sddl.h>

#include <memory>
#include <string>

#include "base/error_win32.h"
#include "files/files.h"
#include "files/work_win32.h"

namespace limiquantix {
namespace {

constexpr DWORD kLongestName = 256;

/// "NT AUTHORITY\SYSTEM" for S-1-5-18. A domain's server may be asked, and be slow.
SysError NameOf(const std::wstring& text, std::wstring* name) {
  PSID sid = nullptr;
  if (!ConvertStringSidToSidW(text.c_str(), &sid)) return LastError("ConvertStringSidToSidW");
  wchar_t account[kLongestName], domain[kLongestName];
  DWORD account_length = kLongestName, domain_length = kLongestName;
  SID_NAME_USE use;
  const bool is_known =
      LookupAccountSidW(nullptr, sid, account, &account_length, domain, &domain_length, &use);
  const SysError error = is_known ? kNoError : LastError("LookupAccountSidW");
  LocalFree(sid);
  if (!is_known) return error.windows == ERROR_NONE_MAPPED ? kNoError : error;
  *name = domain_length > 0 ? std::wstring(domain) + L"\\" + account : std::wstring(account);
  return kNoError;
}

/// accountName(sid): "" where none has it
Napi::Value AccountName(const Napi::CallbackInfo& info) {
  const std::wstring sid = WideArgument(info[0]);
  const auto name = std::make_shared<std::wstring>();
  return Work::Start(
      info.Env(), "limiquantix.AccountName", [sid, name] { return NameOf(sid, name.get()); },
      [name](Napi::Env env) { return ToString(env, *name); });
}

}  // namespace

void RegisterOwners(Napi::Env env, Napi::Object exports) {
  exports.Set("accountName", Napi::Function::New<AccountName>(env, "accountName"));
}

}  // namespace limiquantix
