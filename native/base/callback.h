#pragma once

#include <napi.h>

namespace limiquantix {

/// A JavaScript function for a Turn to call. What the function throws becomes an uncaught
/// exception, as with Node's own I/O.
class Callback {
 public:
  explicit Callback(Napi::Function function) : function_(Napi::Persistent(function)) {}

  napi_env env() const { return function_.Env(); }

  /// The raw calls, not node-addon-api's: those end the process when JavaScript cannot run any
  /// more, as in a worker thread that is being terminated.
  void Call(std::initializer_list<napi_value> arguments) {
    const napi_env env = function_.Env();
    napi_value global;
    if (napi_get_global(env, &global) != napi_ok) return;
    const napi_status status = napi_call_function(env, global, function_.Value(), arguments.size(),
                                                  arguments.begin(), nullptr);
    if (status != napi_pending_exception) return;
    napi_value thrown;
    if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) {
      napi_fatal_exception(env, thrown);
    }
  }

 private:
  Napi::FunctionReference function_;
};

/// A turn of the event loop, for all that happens in it: the microtasks and ticks of what is called
/// while it lives run at its end, so that answers which become ready together leave together.
class Turn {
 public:
  explicit Turn(napi_env env) : env_(env) {
    napi_value name, object;
    if (napi_open_handle_scope(env_, &handles_) != napi_ok) return;
    if (napi_create_string_utf8(env_, "limiquantix", NAPI_AUTO_LENGTH, &name) == napi_ok &&
        napi_create_object(env_, &object) == napi_ok &&
        napi_async_init(env_, object, name, &context_) == napi_ok) {
      napi_open_callback_scope(env_, object, context_, &scope_);
    }
  }
  ~Turn() {
    if (scope_ != nullptr) napi_close_callback_scope(env_, scope_);
    if (context_ != nullptr) napi_async_destroy(env_, context_);
    if (handles_ != nullptr) napi_close_handle_scope(env_, handles_);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  const napi_env env_;
  napi_handle_scope handles_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_callback_scope scope_ = nullptr;
};

}  // namespace limiquantix
