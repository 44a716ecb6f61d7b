#pragma once

#include <uv.h>

#include <memory>
#include <optional>
#include <vector>

#include "sampler/link_probe_linux.h"
#include "sampler/link_watch_linux.h"

namespace limiquantix {

/// The interfaces: what they are like now, and that something about them has changed. JS thread
/// only.
class Links {
 public:
  Links() : probe_(new LinkProbe) {}

  const std::shared_ptr<LinkProbe>& probe() const { return probe_; }
  /// Before the probe is asked.
  void Begin();
  /// What it has answered, once; absent when it failed.
  std::optional<std::vector<Interface>> Take();
  const SysError& error() const { return probe_->error(); }

  /// Only when not watching. Returns 0 or an errno. `on_closed` is called after Unwatch.
  int Watch(uv_loop_t* loop, void* owner, LinkWatch::OnChange on_change,
            LinkWatch::OnClosed on_closed);
  /// Idempotent.
  void Unwatch();

 private:
  const std::shared_ptr<LinkProbe> probe_;
  LinkWatch* watch_ = nullptr;  // deletes itself once closed
  uint64_t notices_at_start_ = 0;
};

}  // namespace limiquantix
