#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace limiquantix {

struct ServiceSettings {
  std::wstring name, display_name, description, command_line;
  std::vector<uint32_t> restart_delays_ms;  ///< of the first failures; the last one repeats
  uint32_t failures_reset_seconds = 0;
  uint32_t preshutdown_ms = 0;
};

struct Installed {
  bool created = false;            ///< else it was there, and has been brought up to date
  std::vector<std::string> lacks;  ///< settings that this system does not have
};

/// Makes the service, or brings it up to date: started with the system, as LocalSystem. One that
/// cannot be made as a whole is removed again.
Result<Installed> InstallService(const ServiceSettings& settings);

}  // namespace limiquantix
