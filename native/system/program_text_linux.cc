#include "base/napi_error.h"
#include "system/system.h"

// Of Node-API 10, so Node.js 22.14 on. Weak: an older Node.js loads the addon too, and has null
// there.
extern "C" __attribute__((weak)) napi_status node_api_create_external_string_latin1(
    napi_env env, char* text, size_t length, napi_finalize finalize, void* hint, napi_value* result,
    bool* copied);

namespace limiquantix {
namespace {

Napi::Value ProgramText(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsArrayBuffer()) {
    Napi::TypeError::New(env, "an ArrayBuffer is needed").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto memory = info[0].As<Napi::ArrayBuffer>();
  auto* text = static_cast<char*>(memory.Data());
  napi_value result = nullptr;
  napi_status status = napi_ok;
  if (node_api_create_external_string_latin1 == nullptr) {
    status = napi_create_string_latin1(env, text, memory.ByteLength(), &result);
  } else {
    bool copied = false;
    // V8 keeps the source of what it runs, so the memory is not given back while the process lives.
    Napi::Persistent(memory).SuppressDestruct();
    status = node_api_create_external_string_latin1(env, text, memory.ByteLength(), nullptr,
                                                    nullptr, &result, &copied);
  }
  if (status != napi_ok) {
    Napi::Error::New(env).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  return Napi::Value(env, result);
}

}  // namespace

void RegisterProgramText(Napi::Env env, Napi::Object exports) {
  exports.Set("programText", Napi::Function::New<ProgramText>(env, "programText"));
}

}  // namespace limiquantix
