#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sampler/link_changes_linux.h"
#include "sampler/netlink_parse_linux.h"
#include "sampler/probe_board.h"
#include "sampler/sample.h"

namespace limiquantix {

/// Asks the kernel for every interface with its counters and addresses. A probe since the kernel
/// answers under its configuration lock, which a driver in trouble can hold for long.
class LinkProbe : public Probe {
 public:
  LinkProbe();

  /// The answer to the last run, once. Only while the board says that the probe is idle.
  std::optional<std::vector<Interface>> TakeInterfaces();
  /// The same as what later notices can be compared with.
  LinkChanges TakeKnown();
  /// Of the last run; its code is 0 when there was none.
  const SysError& error() const { return error_; }

 private:
  void Run() override;
  Result<bool> Collect(std::vector<Interface>* interfaces, LinkChanges* known);
  template <typename Visit>
  Result<bool> Dump(uint16_t type, const Visit& visit);
  Result<std::string_view> Receive();

  UniqueFd socket_;
  SysError socket_error_{0, "socket"};
  uint32_t sequence_ = 0;
  std::vector<char> buffer_;
  std::optional<std::vector<Interface>> interfaces_;
  LinkChanges known_;
  SysError error_{0, ""};
};

}  // namespace limiquantix
