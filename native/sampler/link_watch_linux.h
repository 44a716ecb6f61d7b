#pragma once

#include <uv.h>

#include <cstdint>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sampler/link_changes_linux.h"

namespace limiquantix {

/// Calls back when a link or an address has changed: by notices of the kernel, so that nothing
/// wakes up otherwise. Does not keep the event loop alive. JS thread only.
class LinkWatch {
 public:
  using OnChange = void (*)(void* owner);
  using OnClosed = void (*)(void* owner);

  /// The watch deletes itself after Close(), and then calls `on_closed`.
  static Result<LinkWatch*> Start(uv_loop_t* loop, void* owner, OnChange on_change,
                                  OnClosed on_closed);

  /// Once; the watch may not be used afterwards. No change is reported any more.
  void Close();

  /// Notices received so far.
  uint64_t notices() const { return notices_; }
  bool primed() const { return primed_; }
  /// What was known when `notices` had come; ignored when there have been more since. Until then
  /// whatever is heard of first counts as a change.
  void Prime(LinkChanges known, uint64_t notices);

 private:
  LinkWatch(UniqueFd socket, void* owner, OnChange on_change, OnClosed on_closed);
  static void OnReady(uv_poll_t* handle, int status, int events);
  bool Drain();

  UniqueFd socket_;
  uv_poll_t poll_;
  void* const owner_;
  const OnChange on_change_;
  const OnClosed on_closed_;
  LinkChanges changes_;
  uint64_t notices_ = 0;
  bool primed_ = false;
};

}  // namespace limiquantix
