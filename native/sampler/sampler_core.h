#pragma once

#include <node_api.h>
#include <uv.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sampler/probe_board.h"
#include "sampler/sample.h"
#ifdef _WIN32
#include "sampler/links_win32.h"
#include "sampler/system_counters_win32.h"
#include "sampler/volume_table_win32.h"
#else
#include "sampler/links_linux.h"
#include "sampler/mount_table_linux.h"
#include "sampler/proc_files_linux.h"
#endif

namespace limiquantix {

// What the core is made of; both have the same members.
#ifdef _WIN32
using Counters = SystemCounters;
using Filesystems = VolumeTable;
using FilesystemProbe = VolumeProbe;
#else
using Counters = ProcFiles;
using Filesystems = MountTable;
using FilesystemProbe = StatfsProbe;
#endif

/// Takes samples on Node's event loop, without JavaScript. What may block, the mounts and the
/// interfaces, is asked of a probe thread first; when it has answered, or the deadline has passed,
/// the rest is read here at once. JS thread only; it keeps itself alive until libuv has let go of
/// its handles.
class SamplerCore : public std::enable_shared_from_this<SamplerCore> {
 public:
  /// `failure` is set when not a single source could be read.
  using OnSample = void (*)(void* owner, const Sample& sample,
                            const std::optional<SourceError>& failure);
  using OnChange = void (*)(void* owner);

  static Result<std::shared_ptr<SamplerCore>> Create(napi_env env,
                                                     std::vector<std::string> include_filesystems);

  bool closed() const { return closed_; }
  bool running() const { return on_sample_ != nullptr; }

  /// Calls back once, later. Only when neither closed nor running.
  void Start(uint32_t deadline_ms, void* owner, OnSample on_sample);
  /// Only when not closed and not watching. Returns 0 or an errno.
  int Watch(void* owner, OnChange on_change);
  void Unwatch();
  /// Idempotent. Nothing is called back afterwards. Also done when the environment ends.
  void Close();

 private:
  explicit SamplerCore(std::vector<std::string> include_filesystems);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data);
  static void OnHandleClosed(void* core);

  void Proceed();
  void Submit();
  void ArmTimer();
  void Finish();
  void AddFilesystems(Sample* sample);
  void AddInterfaces(Sample* sample, std::optional<SourceError>* failure);

  uv_async_t wake_;
  uv_timer_t timer_;
  int open_handles_ = 0;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  std::shared_ptr<SamplerCore> self_;  // set while libuv holds handles
  bool closed_ = false;

  std::shared_ptr<ProbeBoard> board_;
  std::unique_ptr<Counters> counters_;
  std::unique_ptr<Filesystems> mounts_;
  std::unique_ptr<Links> links_;
  OnChange on_change_ = nullptr;
  void* change_owner_ = nullptr;

  // The sample under way.
  OnSample on_sample_ = nullptr;
  void* owner_ = nullptr;
  uint64_t started_at_ = 0, deadline_at_ = 0, patience_ = 0;  // ns
  std::vector<std::shared_ptr<Probe>> asked_;
  std::optional<SourceError> failure_;
};

}  // namespace limiquantix
