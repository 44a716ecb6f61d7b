#include <windows.h>
#include <wtsapi32.h>

#include <memory>
#include <string>
#include <utility>

#include "base/arguments_win32.h"
#include "base/privilege_win32.h"
#include "base/thread_call_win32.h"
#include "system/system.h"

namespace limiquantix {
namespace {

/// InitiateSystemShutdownExW takes no longer one.
constexpr size_t kLongestMessage = 512;

constexpr DWORD kShutdownIsScheduled = 1190;  // of winerror.h; mingw-w64 has no name for it

class ShutdownCall : public ThreadCall {
 public:
  ShutdownCall(bool reboot, std::wstring message) : reboot_(reboot), message_(std::move(message)) {}

 private:
  SysError Run() override {
    const Privilege privilege(SE_SHUTDOWN_NAME);
    if (privilege.error().code != 0) return privilege.error();
    SysError error = Initiate();
    // Somebody in the guest has planned one: the host's word is the later one.
    if (error.windows == kShutdownIsScheduled && AbortSystemShutdownW(nullptr)) {
      error = Initiate();
    }
    return error;
  }

  SysError Initiate() {
    constexpr DWORD kReason =
        SHTDN_REASON_MAJOR_OTHER | SHTDN_REASON_MINOR_OTHER | SHTDN_REASON_FLAG_PLANNED;
    const BOOL done =
        InitiateSystemShutdownExW(nullptr, message_.data(), 0, TRUE, reboot_, kReason);
    return done ? kSuccess : LastError("InitiateSystemShutdownExW");
  }

  const BOOL reboot_;
  std::wstring message_;
};

/// shutdownSystem({ reboot, message })
Napi::Value ShutdownSystem(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::wstring message;
  if (!info[0].IsObject()) return WrongArguments(env, "{ reboot, message }");
  const Napi::Object options = info[0].As<Napi::Object>();
  const Napi::Value reboot = options.Get("reboot");
  if (!reboot.IsBoolean() || !ReadText(options.Get("message"), kLongestMessage, &message)) {
    return WrongArguments(env, "{ reboot, message }, of at most 512 characters");
  }
  return ThreadCall::Start(
      env, std::make_unique<ShutdownCall>(reboot.As<Napi::Boolean>().Value(), std::move(message)));
}

/// Shows a text in each session in which somebody is at work, and waits for nobody.
class TellCall : public ThreadCall {
 public:
  TellCall(std::wstring title, std::wstring text, DWORD seconds)
      : title_(std::move(title)), text_(std::move(text)), seconds_(seconds) {}

 private:
  SysError Run() override {
    WTS_SESSION_INFOW* sessions = nullptr;
    DWORD count = 0;
    if (!WTSEnumerateSessionsW(WTS_CURRENT_SERVER_HANDLE, 0, 1, &sessions, &count)) {
      return LastError("WTSEnumerateSessionsW");
    }
    SysError error = kSuccess;
    for (DWORD i = 0; i < count; i++) {
      // The first is that of the services; nobody sees it.
      if (sessions[i].State != WTSActive || sessions[i].SessionId == 0) continue;
      DWORD answer = 0;
      const BOOL sent = WTSSendMessageW(
          WTS_CURRENT_SERVER_HANDLE, sessions[i].SessionId, title_.data(), BytesOf(title_),
          text_.data(), BytesOf(text_), MB_OK | MB_ICONWARNING, seconds_, &answer, FALSE);
      if (sent) {
        told_++;
      } else {
        error = LastError("WTSSendMessageW");
      }
    }
    WTSFreeMemory(sessions);
    return told_ > 0 ? kSuccess : error;
  }

  Napi::Value Value(Napi::Env env) override { return Napi::Number::New(env, told_); }

  static DWORD BytesOf(const std::wstring& text) {
    return static_cast<DWORD>(text.size() * sizeof(wchar_t));
  }

  std::wstring title_, text_;
  const DWORD seconds_;
  int told_ = 0;
};

/// tellSessions(title, text, seconds)
Napi::Value TellSessions(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::wstring title, text;
  constexpr size_t kLongest = 4096;
  constexpr uint32_t kMostSeconds = 3600;
  const uint32_t seconds = info[2].IsNumber() ? info[2].As<Napi::Number>().Uint32Value() : 0;
  if (!ReadText(info[0], kLongest, &title) || !ReadText(info[1], kLongest, &text) || seconds == 0 ||
      seconds > kMostSeconds) {
    return WrongArguments(env, "a title, a text and 1 to 3600 seconds");
  }
  return ThreadCall::Start(env,
                           std::make_unique<TellCall>(std::move(title), std::move(text), seconds));
}

}  // namespace

void RegisterPower(Napi::Env env, Napi::Object exports) {
  exports.Set("shutdownSystem", Napi::Function::New<ShutdownSystem>(env, "shutdownSystem"));
  exports.Set("tellSessions", Napi::Function::New<TellSessions>(env, "tellSessions"));
}

}  // namespace limiquantix
