#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sampler/netlink_parse_linux.h"

namespace limiquantix {

/// Tells the link and address notices that change something from those that repeat what is known:
/// the kernel sends them for counters, wireless scans and each renewal of an address, too.
/// Knows nothing of sockets.
class LinkChanges {
 public:
  /// True when a link or an address differs from what was known, or was not known.
  bool Apply(const NetlinkMessage& message);

 private:
  struct Link {
    int index;
    uint32_t flags;  // those that matter
    std::string name;
    std::string hardware_address;
    uint32_t mtu;
    uint8_t operational_state;
  };
  struct Address {
    int index;  // of the interface
    std::string cidr;
  };

  bool ApplyLink(const LinkMessage& message);
  bool RemoveLink(int index);
  bool AddAddress(AddressMessage message);
  bool RemoveAddress(const AddressMessage& message);

  std::vector<Link> links_;
  std::vector<Address> addresses_;
};

}  // namespace limiquantix
