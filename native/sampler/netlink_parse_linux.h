#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sampler/sample.h"

// Pure functions over rtnetlink bytes; they check every length against what is really there.

namespace limiquantix {

struct NetlinkMessage {
  uint16_t type;      ///< RTM_NEWLINK…, NLMSG_DONE, NLMSG_ERROR
  uint16_t flags;     ///< NLM_F_…
  uint32_t sequence;  ///< of the request that this answers; 0 in a notice
  std::string_view payload;
};

/// Takes the next message from the front; absent at the end or where the bytes make no sense.
std::optional<NetlinkMessage> NextMessage(std::string_view* bytes);

/// The errno (positive) of an NLMSG_ERROR, or of an NLMSG_DONE that ends a failed dump; 0 for none.
int MessageError(const NetlinkMessage& message);

/// RTM_NEWLINK and RTM_DELLINK. Attributes that the message lacks are absent.
struct LinkMessage {
  int index;
  uint8_t family;     ///< AF_UNSPEC, or AF_BRIDGE for what concerns a bridge's port only
  uint16_t hardware;  ///< ARPHRD_…
  uint32_t flags;     ///< IFF_…
  std::optional<std::string> name;
  std::optional<std::string_view> hardware_address;  ///< bytes, within the message
  std::optional<uint32_t> mtu;
  std::optional<uint8_t> operational_state;  ///< IF_OPER_…
  std::string kind;
  std::string_view counters;  ///< struct rtnl_link_stats64, within the message
};
std::optional<LinkMessage> ParseLink(std::string_view payload);

/// RTM_NEWADDR and RTM_DELADDR.
struct AddressMessage {
  int index;       ///< of the interface
  uint8_t family;  ///< AF_INET or AF_INET6
  std::string cidr;
};
/// Absent for other families too.
std::optional<AddressMessage> ParseAddress(std::string_view payload);

/// What a report tells of a link; its addresses come separately.
Interface ToInterface(const LinkMessage& message);

}  // namespace limiquantix
