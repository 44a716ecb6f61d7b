#include "process/logon_win32.h"

#include <windows.h>
//
#include <ntsecapi.h>
#include <wtsapi32.h>

#include <cstring>
#include <utility>
#include <vector>

#include "base/error_win32.h"
#include "process/account_win32.h"

namespace limiquantix {
namespace {

/// Message types of MSV1_0 and of Kerberos; both have this structure (ntsecapi.h).
constexpr ULONG kS4ULogon = 12;
struct S4ULogon {
  ULONG message_type;
  ULONG flags;
  UNICODE_STRING user;
  UNICODE_STRING domain;
};

bool BelongsTo(HANDLE token, const std::vector<char>& sid) {
  alignas(TOKEN_USER) char buffer[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  DWORD bytes = 0;
  if (!GetTokenInformation(token, TokenUser, buffer, sizeof buffer, &bytes)) return false;
  const PSID owner = reinterpret_cast<const TOKEN_USER*>(buffer)->User.Sid;
  return EqualSid(owner, const_cast<char*>(sid.data()));
}

/// Of somebody who is logged on, with all that a logon brings.
UniqueHandle TokenOfSession(const std::vector<char>& sid) {
  WTS_SESSION_INFOW* sessions = nullptr;
  DWORD count = 0;
  UniqueHandle found;
  if (!WTSEnumerateSessionsW(WTS_CURRENT_SERVER_HANDLE, 0, 1, &sessions, &count)) return found;
  for (DWORD i = 0; i < count && !found; ++i) {
    HANDLE token = nullptr;
    if (!WTSQueryUserToken(sessions[i].SessionId, &token)) continue;
    UniqueHandle candidate(token);
    if (BelongsTo(token, sid)) found = std::move(candidate);
  }
  WTSFreeMemory(sessions);
  return found;
}

LSA_STRING LsaString(const char* text) {
  const USHORT length = static_cast<USHORT>(std::strlen(text));
  return {length, length, const_cast<char*>(text)};
}

/// The strings lie behind the structure, as the package wants it.
std::vector<char> LogonMessage(const Account& account) {
  const size_t user_bytes = account.name.size() * sizeof(wchar_t);
  const size_t domain_bytes = account.domain.size() * sizeof(wchar_t);
  std::vector<char> message(sizeof(S4ULogon) + user_bytes + domain_bytes);
  auto* const logon = reinterpret_cast<S4ULogon*>(message.data());
  char* const user = message.data() + sizeof(S4ULogon);
  std::memcpy(user, account.name.data(), user_bytes);
  std::memcpy(user + user_bytes, account.domain.data(), domain_bytes);
  const auto string = [](char* at, size_t bytes) {
    const USHORT length = static_cast<USHORT>(bytes);
    return UNICODE_STRING{length, length, reinterpret_cast<wchar_t*>(at)};
  };
  logon->message_type = kS4ULogon;
  logon->user = string(user, user_bytes);
  logon->domain = string(user + user_bytes, domain_bytes);
  return message;
}

SysError LsaError(NTSTATUS status, const char* call) {
  return WindowsError(LsaNtStatusToWinError(status), call);
}

class LsaConnection {
 public:
  ~LsaConnection() {
    if (handle_ != nullptr) LsaDeregisterLogonProcess(handle_);
  }
  NTSTATUS Open() {
    LSA_STRING name = LsaString("limiquantix-agent");
    LSA_OPERATIONAL_MODE mode;
    return LsaRegisterLogonProcess(&name, &handle_, &mode);
  }
  HANDLE get() const { return handle_; }

 private:
  HANDLE handle_ = nullptr;
};

Result<UniqueHandle> TokenOfLogon(const Account& account) {
  LsaConnection lsa;
  NTSTATUS status = lsa.Open();
  if (status != 0) return LsaError(status, "LsaRegisterLogonProcess");
  LSA_STRING package_name =
      LsaString(account.local ? "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0" : "Kerberos");
  ULONG package = 0;
  status = LsaLookupAuthenticationPackage(lsa.get(), &package_name, &package);
  if (status != 0) return LsaError(status, "LsaLookupAuthenticationPackage");

  std::vector<char> message = LogonMessage(account);
  LSA_STRING origin = LsaString("limiquantix");
  TOKEN_SOURCE source{};
  std::memcpy(source.SourceName, "limiqntx", TOKEN_SOURCE_LENGTH);
  AllocateLocallyUniqueId(&source.SourceIdentifier);
  void* profile = nullptr;
  ULONG profile_bytes = 0;
  LUID logon_id;
  HANDLE token = nullptr;
  QUOTA_LIMITS quotas;
  NTSTATUS sub_status = 0;
  status = LsaLogonUser(lsa.get(), &origin, Network, package, message.data(),
                        static_cast<ULONG>(message.size()), nullptr, &source, &profile,
                        &profile_bytes, &logon_id, &token, &quotas, &sub_status);
  if (profile != nullptr) LsaFreeReturnBuffer(profile);
  if (status != 0) return LsaError(sub_status != 0 ? sub_status : status, "LsaLogonUser");
  const UniqueHandle impersonation(token);
  HANDLE primary = nullptr;
  if (!DuplicateTokenEx(token, MAXIMUM_ALLOWED, nullptr, SecurityImpersonation, TokenPrimary,
                        &primary)) {
    return LastError("DuplicateTokenEx");
  }
  return UniqueHandle(primary);
}

}  // namespace

Result<UniqueHandle> LogOn(const std::wstring& account) {
  Result<Account> found = FindAccount(account);
  if (!found.ok()) return found.error();
  UniqueHandle token = TokenOfSession(found.value().sid);
  if (token) return token;
  return TokenOfLogon(found.value());
}

}  // namespace limiquantix
