#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace limiquantix {

struct CoreUsage {
  uint32_t index;
  double percent;
};

/// 0..100, since the previous sample.
struct CpuUsage {
  double percent = 0;
  std::vector<CoreUsage> cores;
};

struct MemoryUsage {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;
  uint64_t swap_total_bytes = 0;
  uint64_t swap_free_bytes = 0;
};

struct LoadAverages {
  double values[3];  ///< over 1, 5 and 15 minutes
};

struct FilesystemUsage {
  std::string mount_point;
  std::string type;
  std::string device;
  uint64_t total_bytes;
  uint64_t used_bytes;       ///< total - free, where free includes what only root may use
  uint64_t available_bytes;  ///< to a user who is not root
};

struct UnreachableMount {
  std::string mount_point;
  std::string type;
  std::string device;
  double seconds;          ///< since it stopped answering
  const char* error_code;  ///< e.g. "ENOTCONN" when it answers with an error; else null
};

enum class LinkState { kUnknown, kUp, kDown };

struct Interface {
  int index = 0;
  std::string name;
  std::string kind;  ///< the kernel's link kind: "bridge", "veth", "vlan"…; empty for a real device
  bool loopback = false;
  LinkState state = LinkState::kUnknown;
  uint32_t mtu = 0;
  std::string mac_address;                  ///< aa:bb:cc:dd:ee:ff, or empty
  std::vector<std::string> ipv4_addresses;  ///< 192.0.2.1/24
  std::vector<std::string> ipv6_addresses;
  uint64_t rx_bytes = 0, tx_bytes = 0;
  uint64_t rx_packets = 0, tx_packets = 0;
  uint64_t rx_errors = 0, tx_errors = 0;
  uint64_t rx_dropped = 0, tx_dropped = 0;
};

struct DiskIo {
  std::string device;
  uint64_t read_bytes, write_bytes;  ///< since the device appeared
  uint64_t reads, writes;
  double busy_percent;  ///< 0..100, since the previous sample
};

/// One line of a /proc/pressure file: percent of the time, and microseconds since the start.
struct StallTimes {
  double avg10, avg60, avg300;
  uint64_t total_us;
};

struct Stall {
  StallTimes some;
  std::optional<StallTimes> full;  ///< kernels before 5.13 have none for the CPU
};

/// The first thing that went wrong while a sample was taken.
struct SourceError {
  SysError error;
  const char* path;
};

/// One moment of the machine. A part whose source could not be read is absent.
struct Sample {
  std::optional<CpuUsage> cpu;
  std::optional<MemoryUsage> memory;
  std::optional<LoadAverages> load;
  std::optional<double> uptime_seconds;
  std::optional<uint32_t> process_count;
  std::vector<FilesystemUsage> filesystems;
  std::vector<UnreachableMount> unreachable_mounts;
  std::optional<std::vector<Interface>> interfaces;
  std::optional<std::vector<DiskIo>> disk_io;
  std::optional<Stall> cpu_pressure, memory_pressure, io_pressure;
};

}  // namespace limiquantix
