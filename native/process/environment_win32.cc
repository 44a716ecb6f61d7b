#include <windows.h>
//
#include <userenv.h>

#include <memory>
#include <string>
#include <vector>

#include "base/background_win32.h"
#include "base/error_win32.h"
#include "base/unique_handle_win32.h"
#include "base/wide_win32.h"
#include "process/process.h"

namespace limiquantix {
namespace {

struct Variables {
  bool own_user = false;
  std::vector<std::string> list;
  SysError error{0, nullptr};
};

void Read(Variables* variables) {
  UniqueHandle token;
  if (variables->own_user) {
    HANDLE own = nullptr;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &own)) {
      variables->error = LastError("OpenProcessToken");
      return;
    }
    token.Reset(own);
  }
  void* block = nullptr;
  if (!CreateEnvironmentBlock(&block, token.get(), FALSE)) {
    variables->error = LastError("CreateEnvironmentBlock");
    return;
  }
  for (const wchar_t* at = static_cast<const wchar_t*>(block); *at != L'\0';) {
    const std::wstring_view variable(at);
    variables->list.push_back(Utf8(variable));
    at += variable.size() + 1;
  }
  DestroyEnvironmentBlock(block);
}

/// readEnvironment(ownUser): a promise of NAME=value.
Napi::Value ReadEnvironment(const Napi::CallbackInfo& info) {
  auto variables = std::make_shared<Variables>();
  variables->own_user = info[0].ToBoolean();
  return Background::Start(
      info.Env(), [variables] { Read(variables.get()); },
      [variables](Napi::Env env) -> Result<Napi::Value> {
        if (variables->error.syscall != nullptr) return variables->error;
        Napi::Array list = Napi::Array::New(env, variables->list.size());
        for (uint32_t i = 0; i < variables->list.size(); ++i) {
          list.Set(i, Napi::String::New(env, variables->list[i]));
        }
        return Napi::Value(list);
      });
}

}  // namespace

void RegisterEnvironment(Napi::Env env, Napi::Object exports) {
  exports.Set("readEnvironment", Napi::Function::New<ReadEnvironment>(env, "readEnvironment"));
}

}  // namespace limiquantix
