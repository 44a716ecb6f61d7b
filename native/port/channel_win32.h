#pragma once

#include <uv.h>
#include <windows.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "port/device_win32.h"
#include "port/edges.h"
#include "port/inbox.h"
#include "port/io_thread_win32.h"
#include "port/pause_win32.h"
#include "port/ring.h"

namespace limiquantix {

/// The driver of virtio ports takes at most 128 pages at once, and what is written in one piece
/// holds up what comes after it.
constexpr DWORD kWriteBytes = 64 * 1024;

/// Bytes that come and go with overlapped I/O, one read and one write at a time. What has come
/// waits in memory of a fixed size, and so does what is to go; JavaScript looks in when it likes
/// and never waits.
///
/// Of a virtio port it knows whether a host is there, and where in the stream one ends and the next
/// begins: the driver does not tell that with the bytes.
class Channel : public IoClient, public std::enable_shared_from_this<Channel> {
 public:
  /// `on_edges` is called on any thread when there are edges to take.
  static Result<std::shared_ptr<Channel>> Open(std::unique_ptr<Device> device,
                                               std::shared_ptr<IoThread> thread,
                                               std::function<void()> on_edges);
  ~Channel() override;

  // For the JS thread.

  PortKind kind() const { return kind_; }
  Edges TakeEdges();
  /// To be called before the edges of the next host are told.
  void NextHost();
  /// Bytes, 0 when there are none now, -1 at the end, or as long as no host is there.
  Result<int> Read(char* buffer, size_t bytes);
  /// Bytes taken; fewer than given when there is no room, and kWritable follows.
  Result<size_t> Write(const char* bytes, size_t count);
  /// Taken, and not with the system yet.
  size_t Unsent();
  /// Idempotent; no edges come any more. What was taken is sent all the same, if that takes no more
  /// than a second; to a pipe it is sent however long that takes.
  void Close();

  void OnTurn() override;  // I/O thread

 private:
  enum class Host { kUnknown, kAway, kAttached };

  Channel(std::unique_ptr<Device> device, std::shared_ptr<IoThread> thread,
          std::function<void()> on_edges);

  using OnCall = void (Channel::*)(DWORD error, DWORD bytes);

  void Wake();
  void Tell(uint32_t mask);  // with mutex_
  void Happened(DeviceEvent event);

  // I/O thread.
  void Finished(IoCall* call, OnCall on_call);
  void Work();
  void StartRead();
  void OnRead(DWORD error, DWORD bytes);
  void StartWrite();
  void OnWrite(DWORD error, DWORD bytes);
  void StartQuery();
  void OnQuery(DWORD error, DWORD bytes);
  void OnEvent(DeviceEvent event);
  void HostCame();
  void HostWent();
  void End(const SysError& why);
  void LetGo();
  void ScheduleNext();

  const PortKind kind_;
  const std::shared_ptr<IoThread> thread_;
  std::atomic<bool> woken_{false};

  // Of the I/O thread.
  std::unique_ptr<Device> device_;  // null when it has been let go of
  IoCall read_, write_, query_;
  bool reading_ = false, querying_ = false, watched_ = false, draining_ = false;
  bool can_read_ = true;
  Pause read_pause_;
  Pause write_pause_{1, 100}, query_pause_{50, 1000};
  ULONGLONG close_by_ = 0;
  size_t write_most_ = kWriteBytes, in_flight_ = 0;
  bool in_flight_stale_ = false;  // they were for a host that has gone
  bool event_owed_ = false;
  std::vector<char> info_ = std::vector<char>(512);

  uv_mutex_t mutex_;
  // With it.
  std::function<void()> on_edges_;  // null once closed
  EdgeQueue edges_;
  std::vector<DeviceEvent> events_;
  Host host_;
  Inbox in_;
  Ring out_;
  bool writing_ = false;       // there is a write under way
  bool touched_ = false;       // bytes have come from this host, or are to go to it
  bool wants_room_ = false;    // Write had no room
  bool read_stopped_ = false;  // there was no room for what comes
  bool closing_ = false, ended_ = false;
  SysError why_{0, ""};  // it ended; 0: as things do
};

}  // namespace limiquantix
