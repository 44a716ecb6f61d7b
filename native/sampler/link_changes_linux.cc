#include "sampler/link_changes_linux.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace limiquantix {
namespace {

constexpr uint32_t kFlags = IFF_UP | IFF_RUNNING | IFF_LOWER_UP;

/// Takes over a value that is there; true when that changed something.
template <typename T, typename U>
bool Update(T* target, const std::optional<U>& value) {
  if (!value || *target == *value) return false;
  *target = T(*value);
  return true;
}

template <typename T, typename Matches>
bool EraseIf(std::vector<T>* list, Matches matches) {
  const auto kept = std::remove_if(list->begin(), list->end(), matches);
  const bool found = kept != list->end();
  list->erase(kept, list->end());
  return found;
}

}  // namespace

bool LinkChanges::Apply(const NetlinkMessage& message) {
  if (message.type == RTM_NEWLINK || message.type == RTM_DELLINK) {
    const std::optional<LinkMessage> link = ParseLink(message.payload);
    // AF_BRIDGE: a bridge's port was added or removed; the link itself is as it was.
    if (!link || link->family != AF_UNSPEC) return false;
    return message.type == RTM_NEWLINK ? ApplyLink(*link) : RemoveLink(link->index);
  }
  if (message.type == RTM_NEWADDR || message.type == RTM_DELADDR) {
    std::optional<AddressMessage> address = ParseAddress(message.payload);
    if (!address) return false;
    return message.type == RTM_NEWADDR ? AddAddress(std::move(*address)) : RemoveAddress(*address);
  }
  return false;
}

bool LinkChanges::ApplyLink(const LinkMessage& message) {
  const auto found = std::find_if(links_.begin(), links_.end(), [&message](const Link& link) {
    return link.index == message.index;
  });
  const bool known = found != links_.end();
  if (!known) links_.push_back({message.index, 0, {}, {}, 0, 0});
  Link& link = known ? *found : links_.back();
  bool changed = !known;
  changed |= Update(&link.flags, std::optional<uint32_t>(message.flags & kFlags));
  changed |= Update(&link.name, message.name);
  changed |= Update(&link.hardware_address, message.hardware_address);
  changed |= Update(&link.mtu, message.mtu);
  changed |= Update(&link.operational_state, message.operational_state);
  return changed;
}

bool LinkChanges::RemoveLink(int index) {
  EraseIf(&addresses_, [index](const Address& address) { return address.index == index; });
  EraseIf(&links_, [index](const Link& link) { return link.index == index; });
  return true;
}

bool LinkChanges::AddAddress(AddressMessage message) {
  for (const Address& address : addresses_) {
    if (address.index == message.index && address.cidr == message.cidr) return false;
  }
  addresses_.push_back({message.index, std::move(message.cidr)});
  return true;
}

bool LinkChanges::RemoveAddress(const AddressMessage& message) {
  EraseIf(&addresses_, [&message](const Address& address) {
    return address.index == message.index && address.cidr == message.cidr;
  });
  return true;
}

}  // namespace limiquantix
