#pragma once

#include <napi.h>

#include <string>

#include "base/result.h"

namespace limiquantix {

/// An Error of the shape Node's own fs functions throw:
/// `EACCES: permission denied, open '/dev/vport0p1'` with errno (negative), code, syscall, path.
Napi::Error NodeError(Napi::Env env, const SysError& error, const std::string& path = {});

}  // namespace limiquantix
