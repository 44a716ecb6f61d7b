#pragma once

#include <uv.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "sampler/adapter_list_win32.h"
#include "sampler/link_watch_win32.h"
#include "sampler/probe_board.h"
#include "sampler/sample.h"

namespace limiquantix {

/// Asks for the counters of every interface, and for their addresses when those may have changed.
class LinkProbe : public Probe {
 public:
  explicit LinkProbe(std::shared_ptr<AdapterList> known)
      : Probe(Trust::kEssential), known_(std::move(known)) {}

  /// The answer to the last run, once. Only while the board says that the probe is idle.
  std::optional<std::vector<Interface>> TakeInterfaces();
  /// Of the last run; its code is 0 when there was none.
  const SysError& error() const { return error_; }

 private:
  void Run() override;

  const std::shared_ptr<AdapterList> known_;
  std::optional<std::vector<Interface>> interfaces_;
  SysError error_{0, ""};
};

/// The interfaces: what they are like now, and that something about them has changed. JS thread.
class Links {
 public:
  Links() : known_(std::make_shared<AdapterList>()), probe_(new LinkProbe(known_)) {}

  const std::shared_ptr<LinkProbe>& probe() const { return probe_; }
  /// Before the probe is asked.
  void Begin() {}
  /// What it has answered, once; absent when it failed.
  std::optional<std::vector<Interface>> Take() { return probe_->TakeInterfaces(); }
  const SysError& error() const { return probe_->error(); }

  /// Only when not watching. Returns 0 or an errno. `on_closed` is called after Unwatch.
  int Watch(uv_loop_t* loop, void* owner, LinkWatch::OnChange on_change,
            LinkWatch::OnClosed on_closed);
  /// Idempotent.
  void Unwatch();

 private:
  const std::shared_ptr<AdapterList> known_;
  const std::shared_ptr<LinkProbe> probe_;
  LinkWatch* watch_ = nullptr;  // deletes itself once closed
};

}  // namespace limiquantix
