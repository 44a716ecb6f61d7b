#include "port/port.h"

namespace limiquantix {

void RegisterPort(Napi::Env, Napi::Object) {}

}  // namespace limiquantix
