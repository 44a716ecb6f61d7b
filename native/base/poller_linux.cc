#include "base/poller_linux.h"

#include <cerrno>
#include <utility>

namespace limiquantix {

Poller::Poller(int fd, void* owner, Callback callback)
    : fd_(fd), owner_(owner), callback_(callback) {}

Result<std::shared_ptr<Poller>> Poller::Start(napi_env env, int fd, uint32_t interest, void* owner,
                                              Callback callback) {
  Result<std::shared_ptr<PollSet>> set = PollSet::Of(env);
  if (!set.ok()) return set.error();
  std::shared_ptr<Poller> poller(new Poller(fd, owner, callback));
  if (const int error = set.value()->Add(fd, interest, poller, &poller->id_); error != 0) {
    return SysError{error, "epoll_ctl"};
  }
  poller->set_ = std::move(set.value());
  return poller;
}

int Poller::SetInterest(uint32_t interest) {
  return set_ ? set_->Change(fd_, interest, id_) : EBADF;
}

void Poller::Close() {
  owner_ = nullptr;
  if (const std::shared_ptr<PollSet> set = std::move(set_); set) set->Remove(fd_, id_);
}

void Poller::Report(uint32_t events) {
  if (owner_ != nullptr) callback_(owner_, events);
}

}  // namespace limiquantix
