#pragma once

#include <windows.h>

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "base/unique_handle_win32.h"

namespace limiquantix {

/// Someone whom the thread calls. It stays alive for as long as it has asked to be called.
class IoClient {
 public:
  virtual ~IoClient() = default;
  /// It was woken, or its time has come.
  virtual void OnTurn() = 0;
};

/// One overlapped call. It must stay where it is until it has come back.
struct IoCall : OVERLAPPED {
  using Done = void (*)(IoCall* call, IoClient* owner);
  Done done = nullptr;
  std::shared_ptr<IoClient> owner;  ///< whose memory it uses: set while it is on its way

  /// For a new call of `owner`.
  void Begin(std::shared_ptr<IoClient> by) {
    static_cast<OVERLAPPED&>(*this) = OVERLAPPED{};
    owner = std::move(by);
  }
};

/// The thread on which all ports of an environment do their I/O, by a completion port. Nobody waits
/// for it: it ends by itself when the last who holds it has let go and its calls have come back.
class IoThread {
 public:
  static Result<std::shared_ptr<IoThread>> Start();
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  HANDLE port() const;
  /// Any thread: has OnTurn called soon, once for each Wake. False when the system has no memory.
  bool Wake(std::shared_ptr<IoClient> client);
  /// I/O thread: has OnTurn called after so long. One time a client; a later one replaces it.
  void WakeAfter(const std::shared_ptr<IoClient>& client, uint32_t milliseconds);

 private:
  struct Core;
  explicit IoThread(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  static DWORD WINAPI Run(void* core);

  const std::shared_ptr<Core> core_;
};

}  // namespace limiquantix
