#include "process/account_win32.h"

#include <windows.h>
//
#include <sddl.h>

#include <utility>

#include "base/background_win32.h"
#include "base/error_win32.h"
#include "base/wide_win32.h"
#include "process/process.h"
#include "process/spawn_request_win32.h"

namespace limiquantix {
namespace {

std::wstring MachineName() {
  wchar_t name[MAX_COMPUTERNAME_LENGTH + 1];
  DWORD length = MAX_COMPUTERNAME_LENGTH + 1;
  return GetComputerNameW(name, &length) ? std::wstring(name, length) : std::wstring();
}

std::wstring SidText(const std::vector<char>& sid) {
  wchar_t* text = nullptr;
  if (!ConvertSidToStringSidW(const_cast<char*>(sid.data()), &text)) return {};
  std::wstring copy(text);
  LocalFree(text);
  return copy;
}

/// Where its files are, or "" when it has never been logged on.
std::wstring ProfileFolder(const std::wstring& sid) {
  const std::wstring key = L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\" + sid;
  wchar_t folder[32768];
  DWORD bytes = sizeof folder;
  // Expands what is in it, as %SystemDrive%.
  if (RegGetValueW(HKEY_LOCAL_MACHINE, key.c_str(), L"ProfileImagePath", RRF_RT_REG_SZ, nullptr,
                   folder, &bytes) != ERROR_SUCCESS) {
    return {};
  }
  return folder;
}

struct Lookup {
  std::wstring name, sid, folder;
  Account account;
  SysError error{0, nullptr};
};

void Run(Lookup* lookup) {
  Result<Account> found = FindAccount(lookup->name);
  if (!found.ok()) {
    lookup->error = found.error();
    return;
  }
  lookup->account = std::move(found.value());
  lookup->sid = SidText(lookup->account.sid);
  lookup->folder = ProfileFolder(lookup->sid);
}

Napi::Value ToJs(Napi::Env env, const Lookup& lookup) {
  const auto text = [env](const std::wstring& wide) { return Napi::String::New(env, Utf8(wide)); };
  Napi::Object account = Napi::Object::New(env);
  account.Set("name", text(lookup.account.name));
  account.Set("domain", text(lookup.account.domain));
  account.Set("sid", text(lookup.sid));
  account.Set("home", text(lookup.folder));
  account.Set("isUser", Napi::Boolean::New(env, lookup.account.is_user));
  return account;
}

/// lookupAccount(name): a promise.
Napi::Value LookupAccount(const Napi::CallbackInfo& info) {
  auto lookup = std::make_shared<Lookup>();
  if (!ReadWide(info[0], &lookup->name)) {
    Napi::TypeError::New(info.Env(), "a name without NUL").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  return Background::Start(
      info.Env(), [lookup] { Run(lookup.get()); },
      [lookup](Napi::Env env) -> Result<Napi::Value> {
        if (lookup->error.windows == ERROR_NONE_MAPPED) return env.Undefined();
        if (lookup->error.syscall != nullptr) return lookup->error;
        return ToJs(env, *lookup);
      });
}

}  // namespace

Result<Account> FindAccount(const std::wstring& name) {
  DWORD sid_bytes = SECURITY_MAX_SID_SIZE;
  DWORD length = 256;  // DNLEN and names of domains are shorter
  wchar_t domain[256];
  SID_NAME_USE use;
  Account account;
  account.sid.resize(sid_bytes);
  if (!LookupAccountNameW(nullptr, name.c_str(), account.sid.data(), &sid_bytes, domain, &length,
                          &use)) {
    return LastError("LookupAccountNameW");
  }
  account.sid.resize(sid_bytes);
  account.domain = domain;
  account.name = name.substr(name.find(L'\\') + 1);
  account.local = account.domain == MachineName();
  account.is_user = use == SidTypeUser;
  return account;
}

void RegisterAccounts(Napi::Env env, Napi::Object exports) {
  exports.Set("lookupAccount", Napi::Function::New<LookupAccount>(env, "lookupAccount"));
}

}  // namespace limiquantix
