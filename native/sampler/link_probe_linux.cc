#include "sampler/link_probe_linux.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace limiquantix {
namespace {

// The kernel fills as much as a reader offers, up to 32 KiB a message.
constexpr size_t kBufferBytes = 64 * 1024;
constexpr size_t kMaxBufferBytes = 4 * 1024 * 1024;
constexpr int kAttempts = 4;

/// A dump request: header, then ifinfomsg, then one attribute; ifaddrmsg is shorter.
struct Request {
  nlmsghdr header;
  ifinfomsg link;
  rtattr attribute;
  uint32_t mask;
};

}  // namespace

LinkProbe::LinkProbe()
    : Probe(Trust::kEssential),
      socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  if (!socket_) socket_error_.code = errno;
}

std::optional<std::vector<Interface>> LinkProbe::TakeInterfaces() {
  return std::exchange(interfaces_, std::nullopt);
}

LinkChanges LinkProbe::TakeKnown() { return std::exchange(known_, LinkChanges()); }

void LinkProbe::Run() {
  interfaces_.reset();
  error_ = socket_error_;
  if (!socket_) return;
  // A dump that a change has interrupted may lack what it came too late for.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::vector<Interface> interfaces;
    LinkChanges known;
    Result<bool> consistent = Collect(&interfaces, &known);
    if (!consistent.ok()) {
      error_ = consistent.error();
      if (error_.code == EMSGSIZE && buffer_.size() < kMaxBufferBytes) {
        buffer_.resize(buffer_.size() * 2);
        continue;
      }
      return;
    }
    error_.code = 0;
    interfaces_ = std::move(interfaces);
    known_ = std::move(known);
    if (consistent.value()) return;
  }
}

/// True when nothing changed meanwhile.
Result<bool> LinkProbe::Collect(std::vector<Interface>* interfaces, LinkChanges* known) {
  Result<bool> links = Dump(RTM_GETLINK, [interfaces, known](const NetlinkMessage& message) {
    if (message.type != RTM_NEWLINK) return;
    known->Apply(message);
    const std::optional<LinkMessage> link = ParseLink(message.payload);
    if (link && link->name) interfaces->push_back(ToInterface(*link));
  });
  if (!links.ok()) return links;
  Result<bool> addresses = Dump(RTM_GETADDR, [interfaces, known](const NetlinkMessage& message) {
    if (message.type != RTM_NEWADDR) return;
    known->Apply(message);
    std::optional<AddressMessage> address = ParseAddress(message.payload);
    if (!address) return;
    const auto link = std::find_if(
        interfaces->begin(), interfaces->end(),
        [&address](const Interface& candidate) { return candidate.index == address->index; });
    if (link == interfaces->end()) return;
    auto& list = address->family == AF_INET ? link->ipv4_addresses : link->ipv6_addresses;
    list.push_back(std::move(address->cidr));
  });
  if (!addresses.ok()) return addresses;
  return links.value() && addresses.value();
}

template <typename Visit>
Result<bool> LinkProbe::Dump(uint16_t type, const Visit& visit) {
  Request request{};
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = ++sequence_;
  if (type == RTM_GETLINK) {
    // Leaves out the statistics of every protocol; those of the link itself come all the same.
    request.header.nlmsg_len = sizeof request;
    request.attribute.rta_type = IFLA_EXT_MASK;
    request.attribute.rta_len = RTA_LENGTH(sizeof request.mask);
    request.mask = RTEXT_FILTER_SKIP_STATS;
  } else {
    request.header.nlmsg_len = NLMSG_LENGTH(sizeof(ifaddrmsg));
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent;
  do {
    sent = ::sendto(socket_.get(), &request, request.header.nlmsg_len, 0,
                    reinterpret_cast<sockaddr*>(&kernel), sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return SysError{errno, "sendto"};

  bool consistent = true;
  for (;;) {
    Result<std::string_view> received = Receive();
    if (!received.ok()) return received.error();
    std::string_view bytes = received.value();
    while (const std::optional<NetlinkMessage> message = NextMessage(&bytes)) {
      if (message->sequence != sequence_) continue;  // of a dump that was given up
      if ((message->flags & NLM_F_DUMP_INTR) != 0) consistent = false;
      if (const int error = MessageError(*message); error != 0) return SysError{error, "recvmsg"};
      if (message->type == NLMSG_DONE || message->type == NLMSG_ERROR) return consistent;
      visit(*message);
    }
  }
}

Result<std::string_view> LinkProbe::Receive() {
  if (buffer_.empty()) buffer_.resize(kBufferBytes);
  for (;;) {
    sockaddr_nl sender{};
    iovec part{buffer_.data(), buffer_.size()};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof sender;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const ssize_t count = ::recvmsg(socket_.get(), &header, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SysError{errno, "recvmsg"};
    if (sender.nl_pid != 0) continue;  // not from the kernel
    if ((header.msg_flags & MSG_TRUNC) != 0) return SysError{EMSGSIZE, "recvmsg"};
    return std::string_view(buffer_.data(), static_cast<size_t>(count));
  }
}

}  // namespace limiquantix
