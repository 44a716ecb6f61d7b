#include "network/adapters_win32.h"

#include <winsock2.h>
#include <ws2tcpip.h>
// After them.
#include <iphlpapi.h>
#include <netioapi.h>

#include <cstdio>
#include <memory>

#include "base/error_win32.h"

namespace limiquantix {
namespace {

std::wstring TextOf(ADDRESS_FAMILY family, const void* address) {
  wchar_t text[INET6_ADDRSTRLEN];
  return InetNtopW(family, address, text, INET6_ADDRSTRLEN) == nullptr ? L"" : text;
}

std::wstring TextOf(const SOCKADDR* address) {
  if (address->sa_family == AF_INET) {
    return TextOf(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr);
  }
  if (address->sa_family == AF_INET6) {
    return TextOf(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
  }
  return L"";
}

std::wstring TextOf(const SOCKADDR_INET& address) {
  return TextOf(reinterpret_cast<const SOCKADDR*>(&address));
}

/// What netsh or the control panel has put into the registry: "192.0.2.53,192.0.2.54".
std::wstring StaticNameServers(const wchar_t* service, const std::wstring& guid) {
  const std::wstring key = std::wstring(L"SYSTEM\\CurrentControlSet\\Services\\") + service +
                           L"\\Parameters\\Interfaces\\" + guid;
  wchar_t text[1024];
  DWORD bytes = sizeof text;
  const LSTATUS status = RegGetValueW(HKEY_LOCAL_MACHINE, key.c_str(), L"NameServer", RRF_RT_REG_SZ,
                                      nullptr, text, &bytes);
  return status == ERROR_SUCCESS ? text : L"";  // there is none
}

Adapter AdapterOf(const IP_ADAPTER_ADDRESSES& entry) {
  Adapter adapter{};
  adapter.index = entry.IfIndex != 0 ? entry.IfIndex : entry.Ipv6IfIndex;
  for (const char* at = entry.AdapterName; *at != '\0'; at++) adapter.guid.push_back(*at);
  adapter.name = entry.FriendlyName;
  adapter.title = entry.Description;
  for (ULONG i = 0; i < entry.PhysicalAddressLength; i++) {
    char part[4];
    std::snprintf(part, sizeof part, i == 0 ? "%02x" : ":%02x", entry.PhysicalAddress[i]);
    adapter.mac += part;
  }
  adapter.is_up = entry.OperStatus == IfOperStatusUp;
  adapter.dhcp4 = (entry.Flags & IP_ADAPTER_DHCP_ENABLED) != 0;
  // What the families say for themselves comes later.
  adapter.mtu4 = entry.IfIndex != 0 ? entry.Mtu : 0;
  adapter.mtu6 = entry.Ipv6IfIndex != 0 ? entry.Mtu : 0;
  adapter.router_discovery = entry.Ipv6IfIndex != 0;
  for (const auto* at = entry.FirstUnicastAddress; at != nullptr; at = at->Next) {
    adapter.addresses.push_back({TextOf(at->Address.lpSockaddr), at->OnLinkPrefixLength,
                                 at->PrefixOrigin == IpPrefixOriginManual});
  }
  for (const auto* at = entry.FirstDnsServerAddress; at != nullptr; at = at->Next) {
    adapter.name_servers.push_back(TextOf(at->Address.lpSockaddr));
  }
  adapter.static_name_servers4 = StaticNameServers(L"Tcpip", adapter.guid);
  adapter.static_name_servers6 = StaticNameServers(L"Tcpip6", adapter.guid);
  return adapter;
}

Result<std::vector<Adapter>> ReadTable() {
  constexpr ULONG kFlags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST;
  constexpr int kTries = 5;
  ULONG bytes = 32 * 1024;
  for (int tries = 0; tries < kTries; tries++) {
    const std::unique_ptr<char[]> memory(new char[bytes]);
    auto* first = reinterpret_cast<IP_ADAPTER_ADDRESSES*>(memory.get());
    const ULONG status = GetAdaptersAddresses(AF_UNSPEC, kFlags, nullptr, first, &bytes);
    if (status == ERROR_BUFFER_OVERFLOW) continue;  // `bytes` says how much it takes now
    std::vector<Adapter> adapters;
    if (status == ERROR_NO_DATA) return adapters;
    if (status != NO_ERROR) return WindowsError(status, "GetAdaptersAddresses");
    for (const auto* at = first; at != nullptr; at = at->Next) {
      if (at->IfType != IF_TYPE_SOFTWARE_LOOPBACK) adapters.push_back(AdapterOf(*at));
    }
    return adapters;
  }
  return WindowsError(ERROR_BUFFER_OVERFLOW, "GetAdaptersAddresses");
}

SysError ReadFamilies(std::vector<Adapter>* adapters) {
  MIB_IPINTERFACE_TABLE* table = nullptr;
  const ULONG status = GetIpInterfaceTable(AF_UNSPEC, &table);
  if (status == ERROR_NOT_SUPPORTED) return SysError{0, nullptr, 0};  // Wine: they stay as they are
  if (status != NO_ERROR) return WindowsError(status, "GetIpInterfaceTable");
  for (ULONG i = 0; i < table->NumEntries; i++) {
    const MIB_IPINTERFACE_ROW& row = table->Table[i];
    for (Adapter& adapter : *adapters) {
      if (adapter.index != row.InterfaceIndex) continue;
      if (row.Family == AF_INET) adapter.mtu4 = row.NlMtu;
      if (row.Family != AF_INET6) continue;
      adapter.mtu6 = row.NlMtu;
      adapter.router_discovery = row.RouterDiscoveryBehavior != RouterDiscoveryDisabled;
    }
  }
  FreeMibTable(table);
  return SysError{0, nullptr, 0};
}

SysError ReadRoutes(std::vector<Adapter>* adapters) {
  MIB_IPFORWARD_TABLE2* table = nullptr;
  const ULONG status = GetIpForwardTable2(AF_UNSPEC, &table);
  if (status != NO_ERROR) return WindowsError(status, "GetIpForwardTable2");
  for (ULONG i = 0; i < table->NumEntries; i++) {
    const MIB_IPFORWARD_ROW2& row = table->Table[i];
    for (Adapter& adapter : *adapters) {
      if (adapter.index != row.InterfaceIndex) continue;
      const IP_ADDRESS_PREFIX& target = row.DestinationPrefix;
      adapter.routes.push_back({TextOf(target.Prefix), TextOf(row.NextHop), target.PrefixLength,
                                static_cast<uint32_t>(row.Metric),
                                row.Protocol == MIB_IPPROTO_NETMGMT && row.Origin == NlroManual});
    }
  }
  FreeMibTable(table);
  return SysError{0, nullptr, 0};
}

}  // namespace

Result<std::vector<Adapter>> ReadAdapters() {
  Result<std::vector<Adapter>> adapters = ReadTable();
  if (!adapters.ok()) return adapters;
  SysError error = ReadFamilies(&adapters.value());
  if (error.code == 0) error = ReadRoutes(&adapters.value());
  if (error.code != 0) return error;
  return adapters;
}

}  // namespace limiquantix
