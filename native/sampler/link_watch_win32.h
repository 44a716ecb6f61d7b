#pragma once

#include <uv.h>

#include <memory>

#include "base/result.h"
#include "sampler/adapter_list_win32.h"

namespace limiquantix {

class LinkListener;

/// Calls back when a link or an address has changed: Windows tells that something did, also when an
/// address is only renewed, and a thread then finds out whether there is a difference. Keeps the
/// list up to date meanwhile. Does not keep the event loop alive. JS thread only.
class LinkWatch {
 public:
  using OnChange = void (*)(void* owner);
  using OnClosed = void (*)(void* owner);

  /// The watch deletes itself after Close(), and then calls `on_closed`.
  static Result<LinkWatch*> Start(uv_loop_t* loop, std::shared_ptr<AdapterList> list, void* owner,
                                  OnChange on_change, OnClosed on_closed);

  /// Once; the watch may not be used afterwards. No change is reported any more.
  void Close();

 private:
  LinkWatch(void* owner, OnChange on_change, OnClosed on_closed);

  uv_async_t async_;
  void* const owner_;
  const OnChange on_change_;
  const OnClosed on_closed_;
  std::shared_ptr<LinkListener> listener_;
};

}  // namespace limiquantix
