#pragma once

#include <napi.h>

#include <atomic>
#include <memory>

#include "base/wake_set.h"
#ifndef _WIN32
#include "base/poll_set_linux.h"
#include "base/thread_pool_linux.h"
#include "base/unique_fd.h"
#endif

namespace limiquantix {

class IoThread;
class ReportSlab;
class Endpoints;

/// What the addon keeps for each environment that has loaded it.
struct InstanceData {
#ifndef _WIN32
  ~InstanceData() { spawners->Close(); }

  Napi::FunctionReference process;  ///< the class Process
  std::shared_ptr<ThreadPool> spawners = std::make_shared<ThreadPool>("lqx-spawn", 256 * 1024);
  std::shared_ptr<ReportSlab> reports;
  std::shared_ptr<const UniqueFd> suid_dumpable;
  std::weak_ptr<PollSet> poll_set;  ///< while something is polled
  /// User and group lookups that have not come back. Their threads count too.
  std::shared_ptr<std::atomic<int>> lookups = std::make_shared<std::atomic<int>>(0);
  /// File systems that are being written out, likewise.
  std::shared_ptr<std::atomic<int>> syncs = std::make_shared<std::atomic<int>>(0);
  /// And those that are being frozen, thawed and trimmed.
  std::shared_ptr<std::atomic<int>> freezes = std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<std::atomic<int>> thaws = std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<std::atomic<int>> trims = std::make_shared<std::atomic<int>>(0);
#else
  /// Calls that may wait for another process: see ThreadCall.
  std::shared_ptr<std::atomic<int>> thread_calls = std::make_shared<std::atomic<int>>(0);
  std::weak_ptr<IoThread> io_thread;  ///< while there are ports
  Napi::FunctionReference process;    ///< the class Process
  Napi::FunctionReference stream;     ///< the class Stream
  std::shared_ptr<Endpoints> endpoints;
#endif
  std::shared_ptr<WakeSet> wake_set;  ///< once there was a wake
};

}  // namespace limiquantix
