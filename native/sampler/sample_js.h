#pragma once

#include <node_api.h>

#include "sampler/sample.h"

namespace limiquantix {

/// The object that src/native/sampler.ts calls RawSample. Needs an open handle scope.
napi_value ToJs(napi_env env, const Sample& sample);

}  // namespace limiquantix
