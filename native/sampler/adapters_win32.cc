#include "sampler/adapters_win32.h"

#include <winsock2.h>
//
#include <windows.h>
#include <ws2tcpip.h>
//
#include <iphlpapi.h>
#include <netioapi.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "base/error_win32.h"
#include "base/wide_win32.h"

namespace limiquantix {
namespace {

constexpr ULONG kFewBytes = 16 * 1024;  // as the documentation advises
// The table has rows for filters and the like besides, ten to each interface of interest.
constexpr size_t kFewAdapters = 3;
constexpr ULONG kMostBytes = 16 * 1024 * 1024;
constexpr int kAttempts = 4;  // it may grow between two calls
constexpr ULONG kFlags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;

LinkState StateOf(IF_OPER_STATUS status) {
  switch (status) {
    case IfOperStatusUp:
      return LinkState::kUp;
    case IfOperStatusDown:
    case IfOperStatusLowerLayerDown:
    case IfOperStatusNotPresent:
      return LinkState::kDown;
    default:
      return LinkState::kUnknown;
  }
}

const char* KindOf(DWORD type) {
  switch (type) {
    case IF_TYPE_TUNNEL:
      return "tunnel";
    case IF_TYPE_PPP:
      return "ppp";
    case IF_TYPE_PROP_VIRTUAL:
      return "virtual";
    default:
      return "";
  }
}

std::string MacText(const BYTE* bytes, size_t length) {
  std::string text;
  for (size_t i = 0; i < length; ++i) {
    char part[4];
    std::snprintf(part, sizeof part, i == 0 ? "%02x" : ":%02x", bytes[i]);
    text += part;
  }
  return text;
}

/// One that is not usable yet, or is somebody else's too, is none.
bool IsUsable(const IP_ADAPTER_UNICAST_ADDRESS& address) {
  return address.DadState == IpDadStatePreferred || address.DadState == IpDadStateDeprecated;
}

void AddAddress(const IP_ADAPTER_UNICAST_ADDRESS& address, Interface* link) {
  if (!IsUsable(address) || address.Address.lpSockaddr == nullptr) return;
  const sockaddr* const socket_address = address.Address.lpSockaddr;
  const bool is_v4 = socket_address->sa_family == AF_INET;
  if (!is_v4 && socket_address->sa_family != AF_INET6) return;
  const void* bytes = is_v4
                          ? static_cast<const void*>(
                                &reinterpret_cast<const sockaddr_in*>(socket_address)->sin_addr)
                          : static_cast<const void*>(
                                &reinterpret_cast<const sockaddr_in6*>(socket_address)->sin6_addr);
  wchar_t text[INET6_ADDRSTRLEN] = L"";
  if (InetNtopW(socket_address->sa_family, const_cast<void*>(bytes), text, INET6_ADDRSTRLEN) ==
      nullptr) {
    return;
  }
  std::string cidr = Utf8(text) + "/" + std::to_string(address.OnLinkPrefixLength);
  (is_v4 ? link->ipv4_addresses : link->ipv6_addresses).push_back(std::move(cidr));
}

LinkEntry ToLinkEntry(const IP_ADAPTER_ADDRESSES& entry) {
  LinkEntry adapter{entry.Luid.Value, {}};
  Interface& link = adapter.facts;
  link.index = static_cast<int>(entry.IfIndex != 0 ? entry.IfIndex : entry.Ipv6IfIndex);
  link.name = Utf8(entry.FriendlyName);
  link.kind = KindOf(entry.IfType);
  link.loopback = entry.IfType == IF_TYPE_SOFTWARE_LOOPBACK;
  link.state = StateOf(entry.OperStatus);
  // Loopback has all bits set, which stands for no limit.
  link.mtu = entry.Mtu;
  link.mac_address = MacText(entry.PhysicalAddress, std::min<size_t>(entry.PhysicalAddressLength,
                                                                     MAX_ADAPTER_ADDRESS_LENGTH));
  for (const auto* address = entry.FirstUnicastAddress; address != nullptr;
       address = address->Next) {
    AddAddress(*address, &link);
  }
  return adapter;
}

const MIB_IF_ROW2* FindRow(const MIB_IF_TABLE2& table, uint64_t luid) {
  for (ULONG i = 0; i < table.NumEntries; ++i) {
    if (table.Table[i].InterfaceLuid.Value == luid) return &table.Table[i];
  }
  return nullptr;
}

void AddCounters(const MIB_IF_ROW2& row, Interface* link) {
  link->state = StateOf(row.OperStatus);
  link->rx_bytes = row.InOctets;
  link->tx_bytes = row.OutOctets;
  link->rx_packets = row.InUcastPkts + row.InNUcastPkts;
  link->tx_packets = row.OutUcastPkts + row.OutNUcastPkts;
  link->rx_errors = row.InErrors;
  link->tx_errors = row.OutErrors;
  link->rx_dropped = row.InDiscards;
  link->tx_dropped = row.OutDiscards;
}

bool AreSame(const LinkEntry& a, const LinkEntry& b) {
  const Interface &x = a.facts, &y = b.facts;
  return a.luid == b.luid && x.index == y.index && x.name == y.name && x.state == y.state &&
         x.mtu == y.mtu && x.mac_address == y.mac_address && x.ipv4_addresses == y.ipv4_addresses &&
         x.ipv6_addresses == y.ipv6_addresses;
}

}  // namespace

Result<std::vector<LinkEntry>> ReadLinkEntries() {
  std::vector<std::max_align_t> buffer;
  ULONG bytes = kFewBytes;
  for (int attempt = 0;; ++attempt) {
    buffer.resize(bytes / sizeof buffer[0] + 1);
    auto* const first = reinterpret_cast<IP_ADAPTER_ADDRESSES*>(buffer.data());
    const ULONG error = GetAdaptersAddresses(AF_UNSPEC, kFlags, nullptr, first, &bytes);
    if (error == ERROR_NO_DATA) return std::vector<LinkEntry>();
    if (error == ERROR_BUFFER_OVERFLOW && attempt < kAttempts && bytes <= kMostBytes) continue;
    if (error != NO_ERROR) return WindowsError(error, "GetAdaptersAddresses");
    std::vector<LinkEntry> adapters;
    for (const auto* entry = first; entry != nullptr; entry = entry->Next) {
      adapters.push_back(ToLinkEntry(*entry));
    }
    return adapters;
  }
}

std::vector<Interface> WithCounters(std::vector<LinkEntry> adapters) {
  std::vector<Interface> interfaces;
  MIB_IF_TABLE2* table = nullptr;
  if (adapters.size() > kFewAdapters && GetIfTable2(&table) != NO_ERROR) table = nullptr;
  for (LinkEntry& adapter : adapters) {
    MIB_IF_ROW2 own{};
    own.InterfaceLuid.Value = adapter.luid;
    const MIB_IF_ROW2* row = table != nullptr                ? FindRow(*table, adapter.luid)
                             : GetIfEntry2(&own) == NO_ERROR ? &own
                                                             : nullptr;
    if (row == nullptr) continue;
    AddCounters(*row, &adapter.facts);
    interfaces.push_back(std::move(adapter.facts));
  }
  if (table != nullptr) FreeMibTable(table);
  return interfaces;
}

bool AreSame(const std::vector<LinkEntry>& a, const std::vector<LinkEntry>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const LinkEntry& x, const LinkEntry& y) { return AreSame(x, y); });
}

}  // namespace limiquantix
