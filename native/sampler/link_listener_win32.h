#pragma once

#include <uv.h>
#include <windows.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/unique_handle_win32.h"
#include "sampler/adapter_list_win32.h"

namespace limiquantix {

/// The thread of a LinkWatch. It is never waited for: what it asks may hang.
class LinkListener : public std::enable_shared_from_this<LinkListener> {
 public:
  /// `changed` is sent when there is a difference.
  static Result<std::shared_ptr<LinkListener>> Start(std::shared_ptr<AdapterList> list,
                                                     uv_async_t* changed);
  ~LinkListener();
  LinkListener(const LinkListener&) = delete;
  LinkListener& operator=(const LinkListener&) = delete;

  /// Any thread. Nothing is sent afterwards, and the thread ends.
  void Stop();

 private:
  LinkListener(std::shared_ptr<AdapterList> list, uv_async_t* changed);
  void Run();
  void Compare();
  bool Subscribe(HANDLE* interfaces, HANDLE* addresses);

  const std::shared_ptr<AdapterList> list_;
  UniqueHandle stop_, notice_;                   // events
  std::optional<std::vector<LinkEntry>> known_;  // its thread
  uv_mutex_t mutex_;
  uv_async_t* changed_;  // null once stopped
};

}  // namespace limiquantix
