#include <windows.h>
// After windows.h.
#include <lm.h>

#include <memory>
#include <string>
#include <utility>

#include "base/arguments_win32.h"
#include "base/privilege_win32.h"
#include "base/thread_call_win32.h"
#include "system/system.h"

namespace limiquantix {
namespace {

constexpr size_t kLongestName = UNLEN;
constexpr size_t kLongestPassword = PWLEN;

/// What the network functions have allocated.
template <typename T>
class NetBuffer {
 public:
  ~NetBuffer() {
    if (bytes_ != nullptr) NetApiBufferFree(bytes_);
  }
  NetBuffer() = default;
  NetBuffer(const NetBuffer&) = delete;
  NetBuffer& operator=(const NetBuffer&) = delete;

  LPBYTE* out() { return &bytes_; }
  LPBYTE bytes() const { return bytes_; }
  T* operator->() const { return reinterpret_cast<T*>(bytes_); }

 private:
  LPBYTE bytes_ = nullptr;
};

/// A password, which nothing is left of afterwards.
class Secret {
 public:
  Secret() = default;
  ~Secret() { SecureZeroMemory(text_.data(), text_.capacity() * sizeof(wchar_t)); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  /// Once: a longer one would leave the memory of a shorter one behind.
  bool Read(const Napi::Value& value) {
    text_.reserve(kLongestPassword + 1);
    return ReadText(value, kLongestPassword, &text_);
  }
  wchar_t* text() { return text_.data(); }

 private:
  std::wstring text_;
};

/// Looks a user up in this machine's own accounts: a member of a domain does not ask the domain.
class LookupCall : public ThreadCall {
 public:
  explicit LookupCall(std::wstring name) : name_(std::move(name)) {}

 private:
  SysError Run() override {
    const DWORD status = NetUserGetInfo(nullptr, name_.c_str(), 1, info_.out());
    if (status == NERR_UserNotFound) return kSuccess;
    return status == NERR_Success ? kSuccess : WindowsError(status, "NetUserGetInfo");
  }

  Napi::Value Value(Napi::Env env) override {
    if (info_.bytes() == nullptr) return env.Undefined();
    const auto* name = reinterpret_cast<const char16_t*>(info_->usri1_name);
    const Napi::Object user = Napi::Object::New(env);
    user.Set("name", Napi::String::New(env, name));
    user.Set("flags", Napi::Number::New(env, info_->usri1_flags));
    return user;
  }

  const std::wstring name_;
  NetBuffer<USER_INFO_1> info_;
};

/// findLocalUser(name)
Napi::Value FindLocalUser(const Napi::CallbackInfo& info) {
  std::wstring name;
  if (!ReadText(info[0], kLongestName, &name)) return WrongArguments(info.Env(), "a user's name");
  return ThreadCall::Start(info.Env(), std::make_unique<LookupCall>(std::move(name)));
}

class PasswordCall : public ThreadCall {
 public:
  PasswordCall(std::wstring name, std::unique_ptr<Secret> password, bool must_change)
      : name_(std::move(name)), password_(std::move(password)), must_change_(must_change) {}

 private:
  SysError Run() override {
    // Wine has no such function, and ends the process.
    if (const SysError error = RefusedByWine("NetUserSetInfo"); error.code != 0) return error;
    const SysError error = must_change_ ? SetExpired() : Set();
    password_.reset();
    return error;
  }

  SysError Set() {
    USER_INFO_1003 change{password_->text()};
    return Result(
        NetUserSetInfo(nullptr, name_.c_str(), 1003, reinterpret_cast<LPBYTE>(&change), nullptr));
  }

  /// In one call, so that nothing is half done; what else is in the record stays as it is.
  SysError SetExpired() {
    NetBuffer<USER_INFO_3> record;
    const DWORD status = NetUserGetInfo(nullptr, name_.c_str(), 3, record.out());
    if (status != NERR_Success) return WindowsError(status, "NetUserGetInfo");
    record->usri3_password = password_->text();
    record->usri3_password_expired = TRUE;
    const DWORD set = NetUserSetInfo(nullptr, name_.c_str(), 3, record.bytes(), nullptr);
    record->usri3_password = nullptr;
    return Result(set);
  }

  static SysError Result(DWORD status) {
    return status == NERR_Success ? kSuccess : WindowsError(status, "NetUserSetInfo");
  }

  const std::wstring name_;
  std::unique_ptr<Secret> password_;
  const bool must_change_;
};

/// setUserPassword(name, password, mustChange)
Napi::Value SetUserPassword(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::wstring name;
  auto password = std::make_unique<Secret>();
  if (!ReadText(info[0], kLongestName, &name) || !password->Read(info[1]) || !info[2].IsBoolean()) {
    return WrongArguments(env, "a user's name, a password of at most 256 characters and a boolean");
  }
  return ThreadCall::Start(env, std::make_unique<PasswordCall>(std::move(name), std::move(password),
                                                               info[2].As<Napi::Boolean>()));
}

}  // namespace

void RegisterLocalUsers(Napi::Env env, Napi::Object exports) {
  exports.Set("findLocalUser", Napi::Function::New<FindLocalUser>(env, "findLocalUser"));
  exports.Set("setUserPassword", Napi::Function::New<SetUserPassword>(env, "setUserPassword"));
}

}  // namespace limiquantix
