#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace limiquantix {

struct AdapterAddress {
  std::wstring address;
  unsigned prefix;
  bool is_static;  ///< set by somebody, not by DHCP, a router or the system itself
};

struct AdapterRoute {
  std::wstring network, next_hop;  ///< "0.0.0.0"; the unspecified address stands for on-link
  unsigned prefix;
  uint32_t metric;
  bool is_static;
};

/// A network adapter as Windows has configured it.
struct Adapter {
  uint32_t index;            ///< the one that netsh takes
  std::wstring guid;         ///< "{…}"
  std::wstring name, title;  ///< "Ethernet 2", "Red Hat VirtIO Ethernet Adapter"
  std::string mac;           ///< "52:54:00:12:34:56"
  bool is_up, dhcp4;
  uint32_t mtu4, mtu6;    ///< 0 without the family
  bool router_discovery;  ///< of IPv6
  std::vector<AdapterAddress> addresses;
  std::vector<std::wstring> name_servers;  ///< all, in the order in which they are asked
  std::wstring static_name_servers4, static_name_servers6;  ///< as the registry has them
  std::vector<AdapterRoute> routes;
};

/// All but the loopback. May take as long as the network services do.
Result<std::vector<Adapter>> ReadAdapters();

}  // namespace limiquantix
