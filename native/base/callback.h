#pragma once

#include <napi.h>

namespace limiquantix {

/// A JavaScript function that libuv callbacks may call, with Node's async context and microtasks
/// run afterwards. What the function throws becomes an uncaught exception, as with Node's own I/O.
class Callback {
 public:
  Callback(Napi::Function function, const char* name)
      : function_(Napi::Persistent(function)), context_(function.Env(), name) {}

  /// The raw calls, not node-addon-api's: those end the process when JavaScript cannot run any
  /// more, as in a worker thread that is being terminated.
  void Call(std::initializer_list<napi_value> arguments) {
    const napi_env env = function_.Env();
    napi_value global;
    if (napi_get_global(env, &global) != napi_ok) return;
    const napi_status status = napi_make_callback(env, context_, global, function_.Value(),
                                                  arguments.size(), arguments.begin(), nullptr);
    if (status != napi_pending_exception) return;
    napi_value thrown;
    if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) {
      napi_fatal_exception(env, thrown);
    }
  }

 private:
  Napi::FunctionReference function_;
  Napi::AsyncContext context_;
};

}  // namespace limiquantix
