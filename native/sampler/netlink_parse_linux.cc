#include "sampler/netlink_parse_linux.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace limiquantix {
namespace {

constexpr size_t kAlignment = 4;  // NLMSG_ALIGNTO and RTA_ALIGNTO

size_t Align(size_t length) { return (length + kAlignment - 1) & ~(kAlignment - 1); }

template <typename T>
std::optional<T> ReadAs(std::string_view bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

struct Attribute {
  uint16_t type;
  std::string_view value;
};

std::optional<Attribute> NextAttribute(std::string_view* bytes) {
  const std::optional<rtattr> header = ReadAs<rtattr>(*bytes);
  if (!header || header->rta_len < sizeof *header || header->rta_len > bytes->size()) {
    return std::nullopt;
  }
  const Attribute attribute{static_cast<uint16_t>(header->rta_type & NLA_TYPE_MASK),
                            bytes->substr(sizeof *header, header->rta_len - sizeof *header)};
  bytes->remove_prefix(std::min(Align(header->rta_len), bytes->size()));
  return attribute;
}

/// Text up to its NUL.
std::string Text(std::string_view value) { return std::string(value.substr(0, value.find('\0'))); }

std::string LinkKind(std::string_view nested) {
  while (const std::optional<Attribute> attribute = NextAttribute(&nested)) {
    if (attribute->type == IFLA_INFO_KIND) return Text(attribute->value);
  }
  return {};
}

/// aa:bb:cc:dd:ee:ff. A tunnel's "hardware address" is its own IP address: that is none.
std::string FormatMac(const LinkMessage& link) {
  const std::string_view bytes = link.hardware_address.value_or(std::string_view());
  if (bytes.size() != 6 && bytes.size() != 8 && bytes.size() != 20) return {};  // 20: InfiniBand
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string result;
  for (const char c : bytes) {
    const unsigned byte = static_cast<unsigned char>(c);
    if (!result.empty()) result += ':';
    result += kDigits[byte >> 4];
    result += kDigits[byte & 15];
  }
  return result;
}

LinkState State(const LinkMessage& link) {
  constexpr uint32_t kRunning = IFF_UP | IFF_RUNNING;
  switch (link.operational_state.value_or(IF_OPER_UNKNOWN)) {
    case IF_OPER_UP:
      return LinkState::kUp;
    case IF_OPER_UNKNOWN:  // many virtual drivers never set it
      if ((link.flags & IFF_UP) == 0) return LinkState::kDown;
      return (link.flags & kRunning) == kRunning ? LinkState::kUp : LinkState::kUnknown;
    default:
      return LinkState::kDown;
  }
}

}  // namespace

std::optional<NetlinkMessage> NextMessage(std::string_view* bytes) {
  const std::optional<nlmsghdr> header = ReadAs<nlmsghdr>(*bytes);
  if (!header || header->nlmsg_len < sizeof *header || header->nlmsg_len > bytes->size()) {
    return std::nullopt;
  }
  const NetlinkMessage message{header->nlmsg_type, header->nlmsg_flags, header->nlmsg_seq,
                               bytes->substr(sizeof *header, header->nlmsg_len - sizeof *header)};
  bytes->remove_prefix(std::min(Align(header->nlmsg_len), bytes->size()));
  return message;
}

int MessageError(const NetlinkMessage& message) {
  if (message.type != NLMSG_ERROR && message.type != NLMSG_DONE) return 0;
  const int code = ReadAs<int>(message.payload).value_or(0);
  return code < 0 && code > -4096 ? -code : 0;
}

std::optional<LinkMessage> ParseLink(std::string_view payload) {
  const std::optional<ifinfomsg> header = ReadAs<ifinfomsg>(payload);
  if (!header) return std::nullopt;
  LinkMessage link{};
  link.index = header->ifi_index;
  link.family = header->ifi_family;
  link.hardware = header->ifi_type;
  link.flags = header->ifi_flags;
  std::string_view rest = payload.substr(std::min(Align(sizeof *header), payload.size()));
  while (const std::optional<Attribute> attribute = NextAttribute(&rest)) {
    switch (attribute->type) {
      case IFLA_IFNAME:
        link.name = Text(attribute->value);
        break;
      case IFLA_ADDRESS:
        link.hardware_address = attribute->value;
        break;
      case IFLA_MTU:
        link.mtu = ReadAs<uint32_t>(attribute->value);
        break;
      case IFLA_OPERSTATE:
        link.operational_state = ReadAs<uint8_t>(attribute->value);
        break;
      case IFLA_LINKINFO:
        link.kind = LinkKind(attribute->value);
        break;
      case IFLA_STATS64:
        link.counters = attribute->value;
        break;
      default:
        break;
    }
  }
  return link;
}

std::optional<AddressMessage> ParseAddress(std::string_view payload) {
  const std::optional<ifaddrmsg> header = ReadAs<ifaddrmsg>(payload);
  if (!header || (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)) {
    return std::nullopt;
  }
  std::optional<std::string_view> local, address;
  std::string_view rest = payload.substr(std::min(Align(sizeof *header), payload.size()));
  while (const std::optional<Attribute> attribute = NextAttribute(&rest)) {
    if (attribute->type == IFA_LOCAL) local = attribute->value;
    if (attribute->type == IFA_ADDRESS) address = attribute->value;
  }
  // On a point-to-point link IFA_ADDRESS is the other end.
  const std::optional<std::string_view> own = local ? local : address;
  const size_t expected = header->ifa_family == AF_INET ? 4 : 16;
  if (!own || own->size() != expected) return std::nullopt;
  char bytes[16];
  std::memcpy(bytes, own->data(), expected);
  char text[INET6_ADDRSTRLEN];
  if (::inet_ntop(header->ifa_family, bytes, text, sizeof text) == nullptr) return std::nullopt;
  return AddressMessage{static_cast<int>(header->ifa_index), header->ifa_family,
                        std::string(text) + "/" + std::to_string(header->ifa_prefixlen)};
}

Interface ToInterface(const LinkMessage& message) {
  Interface link;
  link.index = message.index;
  link.name = message.name.value_or("");
  link.kind = message.kind;
  link.loopback = (message.flags & IFF_LOOPBACK) != 0;
  link.state = State(message);
  link.mtu = message.mtu.value_or(0);
  link.mac_address = FormatMac(message);
  // Older kernels have fewer fields, newer ones more: each is taken if it is there.
  const auto counter = [&message](size_t offset) {
    if (offset + sizeof(uint64_t) > message.counters.size()) return uint64_t{0};
    return ReadAs<uint64_t>(message.counters.substr(offset)).value_or(0);
  };
  link.rx_packets = counter(offsetof(rtnl_link_stats64, rx_packets));
  link.tx_packets = counter(offsetof(rtnl_link_stats64, tx_packets));
  link.rx_bytes = counter(offsetof(rtnl_link_stats64, rx_bytes));
  link.tx_bytes = counter(offsetof(rtnl_link_stats64, tx_bytes));
  link.rx_errors = counter(offsetof(rtnl_link_stats64, rx_errors));
  link.tx_errors = counter(offsetof(rtnl_link_stats64, tx_errors));
  link.rx_dropped = counter(offsetof(rtnl_link_stats64, rx_dropped));
  link.tx_dropped = counter(offsetof(rtnl_link_stats64, tx_dropped));
  return link;
}

}  // namespace limiquantix
