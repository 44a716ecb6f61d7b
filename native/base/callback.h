#pragma once

#include <napi.h>

namespace limiquantix {

/// A JavaScript function that libuv callbacks may call, with Node's async context and microtasks
/// run afterwards. What the function throws becomes an uncaught exception, as with Node's own I/O.
class Callback {
 public:
  Callback(Napi::Function function, const char* name)
      : function_(Napi::Persistent(function)), context_(function.Env(), name) {}

  void Call(std::initializer_list<napi_value> arguments) {
    Napi::Env env = function_.Env();
    function_.MakeCallback(env.Global(), arguments, context_);
    if (env.IsExceptionPending()) {
      napi_fatal_exception(env, env.GetAndClearPendingException().Value());
    }
  }

 private:
  Napi::FunctionReference function_;
  Napi::AsyncContext context_;
};

}  // namespace limiquantix
