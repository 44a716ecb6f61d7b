// What a Channel does on the I/O thread.
#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error_win32.h"
#include "base/lock.h"
#include "port/channel_win32.h"

namespace limiquantix {
namespace {

/// How long what was taken before the end may take to be sent.
constexpr uint32_t kCloseMs = 1000;

/// The driver of virtio ports gives 4 KiB at a time, but makes a buffer of what it is asked for.
constexpr size_t kVirtioReadBytes = 16 * 1024;
constexpr size_t kReadBytes = 64 * 1024;

/// Writes are not made smaller than this when the driver has no room for large ones.
constexpr size_t kLeastWriteBytes = 4 * 1024;

/// Where nobody tells that a host comes or goes.
constexpr uint32_t kLookMs = 1000;

/// What the driver tells of a port; its name follows.
struct VirtioPortInfo {
  UINT id;
  BOOLEAN out_vq_full, host_connected, guest_connected;
};
constexpr size_t kMostInfoBytes = 64 * 1024;

// Not in the headers.
constexpr DWORD kNoSuchDevice = 433, kCantWait = 554, kNoLongerExists = 4327;

bool IsGone(DWORD error) {
  switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_BAD_COMMAND:
    case ERROR_BAD_UNIT:
    case ERROR_DEV_NOT_EXIST:
    case ERROR_DEVICE_NOT_CONNECTED:
    case ERROR_DEVICE_REMOVED:
    case kNoSuchDevice:
    case kNoLongerExists:
      return true;
    default:
      return false;
  }
}

bool IsEnd(DWORD error) {
  return error == ERROR_BROKEN_PIPE || error == ERROR_PIPE_NOT_CONNECTED ||
         error == ERROR_HANDLE_EOF || error == ERROR_NO_DATA;
}

SysError Failure(DWORD error, const char* call) {
  if (IsGone(error)) return SysError{-UV_ENODEV, call, error};
  return WindowsError(error, call);
}

}  // namespace

void Channel::OnTurn() {
  woken_.store(false);
  Work();
}

void Channel::Finished(IoCall* call, OnCall on_call) {
  DWORD bytes = 0;
  const DWORD error = device_ ? device_->Outcome(call, &bytes) : ERROR_OPERATION_ABORTED;
  (this->*on_call)(error, bytes);
  Work();
}

void Channel::Work() {
  if (!device_) return;
  std::vector<DeviceEvent> events;
  {
    Lock lock(&mutex_);
    events.swap(events_);
  }
  for (const DeviceEvent event : events) {
    if (device_) OnEvent(event);
  }
  if (!device_) return;
  StartWrite();
  StartRead();
  StartQuery();
  LetGo();
  ScheduleNext();
}

void Channel::StartRead() {
  if (reading_ || !can_read_ || !read_pause_.IsOver()) return;
  char* space;
  size_t room;
  {
    Lock lock(&mutex_);
    if (ended_ || closing_) return;
    if (host_ == Host::kAway && !draining_) return;
    if (draining_ && in_.IsFull()) in_.Forget();
    space = in_.Space(&room);
    if (room == 0) {
      read_stopped_ = true;
      return;
    }
  }
  const size_t most = kind_ == PortKind::kVirtio ? kVirtioReadBytes : kReadBytes;
  read_.Begin(shared_from_this());
  const DWORD error = device_->Read(space, static_cast<DWORD>(std::min(room, most)), &read_);
  if (error == ERROR_SUCCESS || error == ERROR_IO_PENDING) {
    reading_ = true;
    if (error == ERROR_IO_PENDING) draining_ = false;
    return;
  }
  read_.owner.reset();
  OnRead(error, 0);
}

void Channel::OnRead(DWORD error, DWORD bytes) {
  reading_ = false;
  if (error == ERROR_SUCCESS && bytes > 0) {
    read_pause_.Reset();
    Lock lock(&mutex_);
    if (draining_) return;
    const bool first = in_.Add(bytes);
    if (host_ == Host::kAttached) {
      touched_ = true;
      if (first) Tell(kReadable);
    } else {
      query_pause_.Set(0);  // a host is there before that has been told
    }
    return;
  }
  draining_ = false;
  if (error == ERROR_SUCCESS || error == ERROR_OPERATION_ABORTED || error == ERROR_TIMEOUT) {
    read_pause_.Grow();  // there was nothing; or what it says next tells why
  } else if (kind_ == PortKind::kVirtio && error == ERROR_NO_SYSTEM_RESOURCES) {
    read_pause_.Grow();  // no host is there, or the system has no memory
    query_pause_.Set(0);
  } else if (kind_ == PortKind::kPipe && error == ERROR_ACCESS_DENIED) {
    can_read_ = false;  // the end of one that is written to
  } else if (IsEnd(error)) {
    End(SysError{0, "read"});
  } else {
    End(Failure(error, "read"));
  }
}

void Channel::StartWrite() {
  const char* data;
  size_t bytes;
  {
    Lock lock(&mutex_);
    if (writing_ || ended_ || !write_pause_.IsOver()) return;
    if (host_ != Host::kAttached) return;
    data = out_.Data(&bytes);
    bytes = std::min(bytes, write_most_);
    if (bytes == 0) return;
    writing_ = true;
  }
  in_flight_ = bytes;
  in_flight_stale_ = false;
  write_.Begin(shared_from_this());
  const DWORD error = device_->Write(data, static_cast<DWORD>(bytes), &write_);
  if (error == ERROR_SUCCESS || error == ERROR_IO_PENDING) return;
  write_.owner.reset();
  OnWrite(error, 0);
}

void Channel::OnWrite(DWORD error, DWORD bytes) {
  const bool taken = error == ERROR_SUCCESS;
  {
    Lock lock(&mutex_);
    writing_ = false;
    // The rest of what was for a host that has gone is nothing for the next one.
    out_.Remove(in_flight_stale_ ? in_flight_ : taken ? std::min<size_t>(bytes, in_flight_) : 0);
    in_flight_ = 0;
    if (wants_room_ && out_.used() <= out_.capacity() / 2) {
      wants_room_ = false;
      Tell(kWritable);
    }
  }
  if (taken && bytes > 0) {
    write_pause_.Reset();
    write_most_ = kWriteBytes;
    return;
  }
  if (taken || error == ERROR_OPERATION_ABORTED) {
    write_pause_.Grow();
  } else if (kind_ == PortKind::kVirtio &&
             (error == kCantWait || error == ERROR_NO_SYSTEM_RESOURCES)) {
    // The host is away, its queue is full, or the piece is too large.
    if (error == ERROR_NO_SYSTEM_RESOURCES) {
      write_most_ = std::max(write_most_ / 2, kLeastWriteBytes);
    }
    write_pause_.Grow();
    query_pause_.Set(0);
  } else if (IsEnd(error)) {
    End(SysError{-UV_EPIPE, "write", error});
  } else {
    End(Failure(error, "write"));
  }
}

void Channel::StartQuery() {
  if (kind_ != PortKind::kVirtio || querying_) return;
  if (!query_pause_.IsSet() || !query_pause_.IsOver()) return;
  query_pause_.Clear();
  query_.Begin(shared_from_this());
  const DWORD error = device_->Query(info_.data(), static_cast<DWORD>(info_.size()), &query_);
  if (error == ERROR_SUCCESS || error == ERROR_IO_PENDING) {
    querying_ = true;
    return;
  }
  query_.owner.reset();
  OnQuery(error, 0);
}

void Channel::OnQuery(DWORD error, DWORD bytes) {
  querying_ = false;
  if (error == ERROR_MORE_DATA && info_.size() < kMostInfoBytes) {  // the name is long
    info_.resize(kMostInfoBytes);
    query_pause_.Set(0);
    return;
  }
  if (error == ERROR_SUCCESS && bytes >= sizeof(VirtioPortInfo)) {
    VirtioPortInfo info;
    std::memcpy(&info, info_.data(), sizeof info);
    if (info.host_connected) {
      HostCame();
    } else {
      HostWent();
    }
  } else if (host_ == Host::kUnknown) {
    HostCame();  // a driver that does not tell: there may always be one
  }
  if (watched_) return;
  if (host_ == Host::kAttached) {
    query_pause_.Set(kLookMs);
  } else {
    query_pause_.Grow();
  }
}

void Channel::OnEvent(DeviceEvent event) {
  switch (event) {
    case DeviceEvent::kRemoved:
      End(SysError{-UV_ENODEV, "read"});
      device_.reset();  // it cannot be removed while somebody has it open
      return;
    case DeviceEvent::kHostAway:
      event_owed_ = false;
      HostWent();
      break;
    case DeviceEvent::kHostConnected:
      // The driver says how it is when it comes to saying it: a host that went, with another in its
      // place already, has this said twice.
      if (std::exchange(event_owed_, false)) break;
      if (host_ == Host::kAttached && touched_) {
        HostWent();
        event_owed_ = true;
      }
      HostCame();
      break;
  }
  query_pause_.Set(0);
}

void Channel::HostCame() {
  Lock lock(&mutex_);
  if (host_ == Host::kAttached) return;
  read_pause_.Reset();
  write_pause_.Reset();
  query_pause_.Reset();
  host_ = Host::kAttached;
  draining_ = false;
  touched_ = in_.HasNext();
  Tell(touched_ ? kWritable | kReadable : kWritable);
}

void Channel::HostWent() {
  Lock lock(&mutex_);
  const Host before = std::exchange(host_, Host::kAway);
  if (before != Host::kAttached) return;
  out_.Truncate(in_flight_);
  in_flight_stale_ = true;
  wants_room_ = false;
  in_.HostWent();
  // What it has sent and nobody has asked for yet is not the next one's.
  draining_ = !reading_;
  edges_.TellHangup();
  if (on_edges_) on_edges_();
}

void Channel::End(const SysError& why) {
  Lock lock(&mutex_);
  if (ended_) return;
  ended_ = true;
  why_ = why;
  out_.Truncate(in_flight_);
  uint32_t mask = kHangup;
  if (why.code != -UV_ENODEV) mask |= kReadable;
  if (why.code != 0 || kind_ == PortKind::kPipe) mask |= kError;
  Tell(mask);
}

/// When it is closed and nothing is to be sent any more, or that takes too long.
void Channel::LetGo() {
  if (!device_) return;
  {
    Lock lock(&mutex_);
    if (!closing_) return;
    const bool sends = out_.used() > 0 && !ended_ && host_ == Host::kAttached;
    if (close_by_ == 0) close_by_ = GetTickCount64() + kCloseMs;
    if (sends && (kind_ == PortKind::kPipe || GetTickCount64() < close_by_)) return;
  }
  // A write need not come back, not even now; then it keeps its memory, and nobody waits.
  device_->Cancel(&read_);
  device_->Cancel(&write_);
  device_.reset();
}

void Channel::ScheduleNext() {
  if (!device_) return;
  ULONGLONG next = kind_ == PortKind::kPipe ? 0 : close_by_;
  for (const Pause* pause : {&read_pause_, &write_pause_, &query_pause_}) {
    if (pause->IsSet() && !pause->IsOver() && (next == 0 || pause->at() < next)) {
      next = pause->at();
    }
  }
  const ULONGLONG now = GetTickCount64();
  if (next != 0) {
    thread_->WakeAfter(shared_from_this(), next <= now ? 0 : static_cast<uint32_t>(next - now));
  }
}

}  // namespace limiquantix
