#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "port/device_win32.h"

namespace limiquantix {

/// Opens what a port is made from; `path` is for errors. Tests have one of their own.
Result<std::unique_ptr<Device>> OpenSource(Napi::Object source, std::string* path);

}  // namespace limiquantix
