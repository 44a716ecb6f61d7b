#include "port/channel_win32.h"

#include <algorithm>
#include <utility>

#include "base/error_win32.h"
#include "base/lock.h"

namespace limiquantix {
namespace {

/// What may wait in memory: small enough that all of it is read in one turn of JavaScript.
constexpr size_t kInboxBytes = 256 * 1024, kPipeInboxBytes = 64 * 1024;
/// Twice what is written at once.
constexpr size_t kOutboxBytes = 128 * 1024;

/// Between reads that are refused, or end with nothing.
constexpr uint32_t kMostPauseMs = 1000, kMostLinePauseMs = 50;

constexpr size_t kMostEvents = 16;

size_t InboxBytes(PortKind kind) { return kind == PortKind::kPipe ? kPipeInboxBytes : kInboxBytes; }

}  // namespace

Channel::Channel(std::unique_ptr<Device> device, std::shared_ptr<IoThread> thread,
                 std::function<void()> on_edges)
    : kind_(device->kind()),
      thread_(std::move(thread)),
      device_(std::move(device)),
      read_pause_(1, kind_ == PortKind::kVirtio ? kMostPauseMs : kMostLinePauseMs),
      on_edges_(std::move(on_edges)),
      host_(kind_ == PortKind::kVirtio ? Host::kUnknown : Host::kAttached),
      in_(InboxBytes(kind_), kind_ == PortKind::kVirtio),
      out_(kOutboxBytes) {
  uv_mutex_init(&mutex_);
  read_.done = [](IoCall* call, IoClient* owner) {
    static_cast<Channel*>(owner)->Finished(call, &Channel::OnRead);
  };
  write_.done = [](IoCall* call, IoClient* owner) {
    static_cast<Channel*>(owner)->Finished(call, &Channel::OnWrite);
  };
  query_.done = [](IoCall* call, IoClient* owner) {
    static_cast<Channel*>(owner)->Finished(call, &Channel::OnQuery);
  };
}

Channel::~Channel() { uv_mutex_destroy(&mutex_); }

Result<std::shared_ptr<Channel>> Channel::Open(std::unique_ptr<Device> device,
                                               std::shared_ptr<IoThread> thread,
                                               std::function<void()> on_edges) {
  if (const DWORD error = device->Attach(thread->port()); error != ERROR_SUCCESS) {
    return WindowsError(error, "CreateIoCompletionPort");
  }
  std::shared_ptr<Channel> channel(
      new Channel(std::move(device), std::move(thread), std::move(on_edges)));
  if (channel->kind_ == PortKind::kVirtio) {
    const std::weak_ptr<Channel> weak = channel;
    channel->watched_ = channel->device_->Watch([weak](DeviceEvent event) {
      if (const std::shared_ptr<Channel> told = weak.lock()) told->Happened(event);
    });
    channel->query_pause_.Set(0);
  } else {
    Lock lock(&channel->mutex_);
    channel->Tell(kWritable);
  }
  channel->Wake();
  return channel;
}

Edges Channel::TakeEdges() {
  Lock lock(&mutex_);
  return edges_.Take();
}

void Channel::NextHost() {
  Lock lock(&mutex_);
  in_.NextHost();
}

Result<int> Channel::Read(char* buffer, size_t bytes) {
  bool resume = false;
  size_t taken;
  {
    Lock lock(&mutex_);
    taken = in_.Take(buffer, bytes);
    if (taken == 0) {
      if (ended_ && why_.code != 0) return why_;
      return ended_ || in_.AtMark() ? -1 : 0;
    }
    resume = std::exchange(read_stopped_, false);
  }
  if (resume) Wake();
  return static_cast<int>(taken);
}

Result<size_t> Channel::Write(const char* bytes, size_t count) {
  size_t taken;
  bool start;
  {
    Lock lock(&mutex_);
    if (ended_) return why_.code != 0 ? why_ : SysError{-UV_EPIPE, "write"};
    if (host_ != Host::kAttached) return size_t{0};  // kWritable comes with the next
    taken = out_.Put(bytes, count);
    if (taken < count) wants_room_ = true;
    touched_ = true;
    start = taken > 0 && !writing_;
  }
  if (start) Wake();
  return taken;
}

size_t Channel::Unsent() {
  Lock lock(&mutex_);
  return out_.used();
}

void Channel::Close() {
  {
    Lock lock(&mutex_);
    if (closing_) return;
    closing_ = true;
    on_edges_ = nullptr;
  }
  Wake();
}

void Channel::Wake() {
  if (woken_.exchange(true)) return;
  // The next one tries again: whoever has something to say says it more than once.
  if (!thread_->Wake(shared_from_this())) woken_.store(false);
}

/// Any thread.
void Channel::Happened(DeviceEvent event) {
  {
    Lock lock(&mutex_);
    // More are never there unless the thread hangs; the last tells how it stands.
    if (events_.size() == kMostEvents) events_.pop_back();
    events_.push_back(event);
  }
  Wake();
}

void Channel::Tell(uint32_t mask) {
  edges_.Tell(mask);
  if (on_edges_) on_edges_();
}

}  // namespace limiquantix
