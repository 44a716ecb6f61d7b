#include <cstddef>

#include "base/external_text.h"

// Of Node-API 10, and there from Node.js 20.4 on; what it is given is not copied. Weak, as the
// addon loads in older ones too.
extern "C" __attribute__((weak)) napi_status node_api_create_external_string_latin1(
    napi_env env, char* text, size_t length, napi_finalize finalize, void* hint, napi_value* result,
    bool* copied);

namespace limiquantix {
namespace {

/// externalText(bytes: ArrayBuffer): string | undefined
/// The bytes as Latin-1, where they are: they must stay there, and as they are, for ever. Undefined
/// where Node.js cannot do that.
Napi::Value ExternalText(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (node_api_create_external_string_latin1 == nullptr) return env.Undefined();
  Napi::ArrayBuffer bytes = info[0].As<Napi::ArrayBuffer>();
  napi_value text;
  bool copied;
  napi_status status = node_api_create_external_string_latin1(
      env, static_cast<char*>(bytes.Data()), bytes.ByteLength(), nullptr, nullptr, &text, &copied);
  return status == napi_ok ? Napi::Value(env, text) : env.Undefined();
}

}  // namespace

void RegisterExternalText(Napi::Env env, Napi::Object exports) {
  exports.Set("externalText", Napi::Function::New(env, ExternalText, "externalText"));
}

}  // namespace limiquantix
