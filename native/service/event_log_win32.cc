#include <uv.h>
#include <windows.h>

#include <string>
#include <utility>

#include "base/error_win32.h"
#include "base/napi_error.h"
#include "service/service.h"
#include "service/text_argument_win32.h"

namespace limiquantix {
namespace {

constexpr size_t kLongestName = 256;
constexpr size_t kLongestText = 31'839;  // ReportEvent's own limit, in characters
constexpr uint32_t kMostId = 1000;       // EventCreate.exe has messages for these
constexpr wchar_t kSources[] = L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\";
constexpr wchar_t kMessageFile[] = L"%SystemRoot%\\System32\\EventCreate.exe";

struct Event {
  std::wstring source, text;
  WORD type;
  DWORD id;
};

SysError Write(const Event& event) {
  const HANDLE log = RegisterEventSourceW(nullptr, event.source.c_str());
  if (log == nullptr) return LastError("RegisterEventSource");
  const wchar_t* strings[] = {event.text.c_str()};
  const BOOL written = ReportEventW(log, event.type, 0, event.id, nullptr, 1, 0, strings, nullptr);
  const SysError error = written == 0 ? LastError("ReportEvent") : SysError{0, ""};
  DeregisterEventSource(log);
  return error;
}

/// In a thread of libuv's pool: the log's service may be slow, or still starting.
class Reporting : public Napi::AsyncWorker {
 public:
  Reporting(Napi::Env env, Event event)
      : Napi::AsyncWorker(env, "limiquantix.reportEvent"),
        deferred_(Napi::Promise::Deferred::New(env)),
        event_(std::move(event)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 private:
  void Execute() override { error_ = Write(event_); }
  void OnOK() override {
    if (error_.code == 0) {
      deferred_.Resolve(Env().Undefined());
    } else {
      deferred_.Reject(NodeError(Env(), error_).Value());
    }
  }

  const Napi::Promise::Deferred deferred_;
  const Event event_;
  SysError error_{0, ""};
};

bool ReadType(Napi::Value value, WORD* type) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "information") {
    *type = EVENTLOG_INFORMATION_TYPE;
  } else if (name == "warning") {
    *type = EVENTLOG_WARNING_TYPE;
  } else if (name == "error") {
    *type = EVENTLOG_ERROR_TYPE;
  } else {
    return false;
  }
  return true;
}

/// reportEvent(source, type, id, text)
Napi::Value Report(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Event event{};
  if (!ReadText(info[0], kLongestName, "a source", &event.source) ||
      !ReadText(info[3], kLongestText, "a text", &event.text)) {
    return env.Undefined();
  }
  event.id = info[2].IsNumber() ? info[2].As<Napi::Number>().Uint32Value() : 0;
  if (!ReadType(info[1], &event.type) || event.id == 0 || event.id > kMostId) {
    Napi::TypeError::New(env, "reportEvent(source, information|warning|error, 1 to 1000, text)")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto* const reporting = new Reporting(env, std::move(event));  // deletes itself
  const Napi::Promise promise = reporting->promise();
  reporting->Queue();
  return promise;
}

/// The name of a source is one component of a key.
bool ReadSource(const Napi::CallbackInfo& info, std::wstring* key) {
  std::wstring name;
  if (!ReadText(info[0], kLongestName, "a source", &name)) return false;
  if (name.find(L'\\') != std::wstring::npos) {
    Napi::TypeError::New(info.Env(), "a source without \\ is needed").ThrowAsJavaScriptException();
    return false;
  }
  *key = kSources + name;
  return true;
}

void Check(Napi::Env env, LSTATUS error, const char* call) {
  if (error == ERROR_SUCCESS) return;
  NodeError(env, WindowsError(static_cast<DWORD>(error), call)).ThrowAsJavaScriptException();
}

/// setEventSource(name)
void SetSource(const Napi::CallbackInfo& info) {
  std::wstring name;
  if (!ReadSource(info, &name)) return;
  HKEY key = nullptr;
  LSTATUS error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, name.c_str(), 0, nullptr, 0, KEY_SET_VALUE,
                                  nullptr, &key, nullptr);
  if (error != ERROR_SUCCESS) return Check(info.Env(), error, "RegCreateKeyEx");
  const DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
  error = RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ,
                         reinterpret_cast<const BYTE*>(kMessageFile), sizeof kMessageFile);
  if (error == ERROR_SUCCESS) {
    error = RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD,
                           reinterpret_cast<const BYTE*>(&types), sizeof types);
  }
  RegCloseKey(key);
  Check(info.Env(), error, "RegSetValueEx");
}

/// removeEventSource(name)
void RemoveSource(const Napi::CallbackInfo& info) {
  std::wstring name;
  if (!ReadSource(info, &name)) return;
  const LSTATUS error = RegDeleteTreeW(HKEY_LOCAL_MACHINE, name.c_str());
  if (error != ERROR_FILE_NOT_FOUND) Check(info.Env(), error, "RegDeleteTree");
}

}  // namespace

void RegisterEventLog(Napi::Env env, Napi::Object exports) {
  exports.Set("reportEvent", Napi::Function::New<Report>(env, "reportEvent"));
  exports.Set("setEventSource", Napi::Function::New<SetSource>(env, "setEventSource"));
  exports.Set("removeEventSource", Napi::Function::New<RemoveSource>(env, "removeEventSource"));
}

}  // namespace limiquantix
