#include "base/poll_set_linux.h"

#include <napi.h>
#include <sys/epoll.h>

#include <cerrno>
#include <utility>

#include "base/callback.h"
#include "base/instance_data.h"
#include "base/poller_linux.h"

namespace limiquantix {
namespace {

// Taken from the kernel at once; if there are more, the loop comes back for them in its next turn.
constexpr int kMostEvents = 64;

int Control(int epoll, int operation, int fd, uint32_t interest, uint64_t id) {
  epoll_event event{};
  event.events = interest | EPOLLET;
  event.data.u64 = id;
  return ::epoll_ctl(epoll, operation, fd, &event) == 0 ? 0 : errno;
}

}  // namespace

PollSet::~PollSet() = default;

Result<std::shared_ptr<PollSet>> PollSet::Of(napi_env env) {
  std::weak_ptr<PollSet>& own = Napi::Env(env).GetInstanceData<InstanceData>()->poll_set;
  std::shared_ptr<PollSet> set = own.lock();
  if (set && set->handle_ != nullptr) return set;
  set.reset(new PollSet(env));
  set->epoll_.Reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!set->epoll_) return SysError{errno, "epoll_create1"};
  if (const int error = set->Watch(); error != 0) return SysError{error, "uv_poll_init"};
  own = set;
  return set;
}

int PollSet::Watch() {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok) return EINVAL;
  handle_ = new uv_poll_t;
  if (const int error = uv_poll_init(loop, handle_, epoll_.get()); error != 0) {
    delete std::exchange(handle_, nullptr);  // never initialised, so nothing to uv_close
    return -error;
  }
  handle_->data = this;
  self_ = shared_from_this();
  if (const int error = uv_poll_start(handle_, UV_READABLE, OnReady); error != 0) {
    Close();
    return -error;
  }
  napi_add_async_cleanup_hook(env_, OnEnvironmentEnd, this, &cleanup_);
  return 0;
}

PollSet::Place* PollSet::Find(uint64_t id) {
  Place& place = places_[static_cast<uint32_t>(id)];
  return place.poller && place.uses == id >> 32 ? &place : nullptr;
}

int PollSet::Add(int fd, uint32_t interest, std::shared_ptr<Poller> poller, uint64_t* id) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(places_.size()));
    places_.emplace_back();
  }
  const uint32_t index = free_.back();
  Place& place = places_[index];
  *id = static_cast<uint64_t>(++place.uses) << 32 | index;
  if (const int error = Control(epoll_.get(), EPOLL_CTL_ADD, fd, interest, *id); error != 0) {
    if (free_.size() == places_.size()) Close();
    return error;
  }
  free_.pop_back();
  place.poller = std::move(poller);
  return 0;
}

int PollSet::Change(int fd, uint32_t interest, uint64_t id) {
  return Control(epoll_.get(), EPOLL_CTL_MOD, fd, interest, id);
}

void PollSet::Remove(int fd, uint64_t id) {
  Place* const place = Find(id);
  if (place == nullptr) return;
  // Closing would not do: a child that has not executed yet has a copy.
  Control(epoll_.get(), EPOLL_CTL_DEL, fd, 0, id);
  const std::shared_ptr<Poller> last = std::move(place->poller);
  free_.push_back(static_cast<uint32_t>(id));
  if (free_.size() == places_.size()) Close();
}

void PollSet::Close() {
  if (handle_ == nullptr) return;
  uv_poll_t* const handle = std::exchange(handle_, nullptr);
  uv_poll_stop(handle);
  epoll_.Reset();
  uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) {
    PollSet* const set = static_cast<PollSet*>(closed->data);
    delete reinterpret_cast<uv_poll_t*>(closed);
    // The environment waits for this before it goes on tearing itself down.
    if (set->cleanup_ != nullptr) napi_remove_async_cleanup_hook(set->cleanup_);
    const std::shared_ptr<PollSet> last = std::move(set->self_);
  });
}

/// What a callback closes must not be called any more, though its event is here already: so events
/// have an id, and what it stands for is looked up when its turn has come.
void PollSet::OnReady(uv_poll_t* handle, int /*status*/, int /*events*/) {
  const std::shared_ptr<PollSet> set = static_cast<PollSet*>(handle->data)->shared_from_this();
  epoll_event events[kMostEvents];
  int ready;
  do {
    ready = ::epoll_wait(set->epoll_.get(), events, kMostEvents, 0);
  } while (ready < 0 && errno == EINTR);
  const Turn turn(set->env_);
  for (int i = 0; i < ready; ++i) {
    const Place* const place = set->Find(events[i].data.u64);
    if (place == nullptr) continue;
    const std::shared_ptr<Poller> poller = place->poller;
    poller->Report(events[i].events);
  }
}

void PollSet::OnEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data) {
  PollSet* const set = static_cast<PollSet*>(data);
  if (set->handle_ == nullptr) return;  // uv_close is under way and removes the hook
  set->cleanup_ = handle;
  for (size_t i = 0; i < set->places_.size(); ++i) {
    const std::shared_ptr<Poller> poller = set->places_[i].poller;
    if (poller) poller->Close();
  }
  set->Close();
}

}  // namespace limiquantix
