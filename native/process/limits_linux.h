#pragma once

#include <sys/resource.h>

namespace limiquantix {

/// The resource limits that a command starts with, and what must be set to get there.
///
/// They are not the daemon's: Node raises its soft limit of descriptors to the hard one, with which
/// programs that use select(2) or close all they might have get into trouble, and the service
/// manager may have lowered others for the daemon alone.
class CommandLimits {
 public:
  /// Compares with this process's own, of which a child's are a copy.
  CommandLimits();

  /// In the child; makes system calls only. Best effort: without privileges none can be raised.
  void Apply() const;

 private:
  struct Change {
    int resource;
    rlimit value;
  };
  void Want(int resource, rlimit wanted);

  // Two for each resource: what may be done without privileges comes first.
  Change changes_[2 * RLIM_NLIMITS];
  int count_ = 0;
};

}  // namespace limiquantix
