#pragma once

#include <windows.h>

#include <memory>
#include <mutex>

#include "base/result.h"
#include "base/unique_handle_win32.h"

namespace limiquantix {

/// A terminal: Windows has them since version 1809. What its calls wait for is another process, so
/// none of them is made on the JS thread.
class PseudoConsole : public std::enable_shared_from_this<PseudoConsole> {
 public:
  /// Not the JS thread. The console reads `input` and writes `output`, with handles of its own.
  static Result<std::shared_ptr<PseudoConsole>> Create(short columns, short rows, HANDLE input,
                                                       HANDLE output);
  ~PseudoConsole();

  HPCON handle() const { return handle_; }

  /// Any thread. In the background; the newest size counts.
  void Resize(short columns, short rows);

  /// Any thread, idempotent. In the background: whoever uses the terminal is told that it is gone,
  /// its output ends.
  void Close();

 private:
  PseudoConsole() = default;
  void Later();
  static void CALLBACK Run(PTP_CALLBACK_INSTANCE instance, void* console);

  HPCON handle_ = nullptr;
  std::mutex mutex_;
  COORD size_{};
  bool resize_ = false, close_ = false, running_ = false;
};

}  // namespace limiquantix
