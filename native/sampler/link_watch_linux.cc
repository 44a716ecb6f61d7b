#include "sampler/link_watch_linux.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

namespace limiquantix {
namespace {

// A notice is one link or address, a few KiB at most; what does not fit counts as a change.
constexpr size_t kBufferBytes = 32 * 1024;

Result<UniqueFd> OpenSocket() {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!fd) return SysError{errno, "socket"};
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return SysError{errno, "bind"};
  }
  return fd;
}

}  // namespace

LinkWatch::LinkWatch(UniqueFd socket, void* owner, OnChange on_change, OnClosed on_closed)
    : socket_(std::move(socket)), owner_(owner), on_change_(on_change), on_closed_(on_closed) {}

Result<LinkWatch*> LinkWatch::Start(uv_loop_t* loop, void* owner, OnChange on_change,
                                    OnClosed on_closed) {
  Result<UniqueFd> socket = OpenSocket();
  if (!socket.ok()) return socket.error();
  LinkWatch* const watch = new LinkWatch(std::move(socket.value()), owner, on_change, on_closed);
  if (int error = uv_poll_init(loop, &watch->poll_, watch->socket_.get()); error != 0) {
    delete watch;  // the handle is not the loop's
    return SysError{-error, "uv_poll_init"};
  }
  watch->poll_.data = watch;
  uv_unref(reinterpret_cast<uv_handle_t*>(&watch->poll_));
  uv_poll_start(&watch->poll_, UV_READABLE, OnReady);
  return watch;
}

void LinkWatch::Close() {
  uv_poll_stop(&poll_);
  socket_.Reset();
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    LinkWatch* const watch = static_cast<LinkWatch*>(handle->data);
    const OnClosed on_closed = watch->on_closed_;
    void* const owner = watch->owner_;
    delete watch;
    on_closed(owner);
  });
}

void LinkWatch::Prime(LinkChanges known, uint64_t notices) {
  if (notices != notices_) return;
  changes_ = std::move(known);
  primed_ = true;
}

void LinkWatch::OnReady(uv_poll_t* handle, int status, int /*events*/) {
  LinkWatch* const watch = static_cast<LinkWatch*>(handle->data);
  const bool changed = watch->Drain();
  // Lost notices show as an error of the socket, upon which libuv stops watching it.
  if (status < 0) uv_poll_start(handle, UV_READABLE, OnReady);
  if (changed) watch->on_change_(watch->owner_);  // may close the watch
}

/// Takes all there is from the socket. True when something changed, or may have.
bool LinkWatch::Drain() {
  alignas(nlmsghdr) char buffer[kBufferBytes];
  bool changed = false;
  for (;;) {
    sockaddr_nl sender{};
    iovec part{buffer, sizeof buffer};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof sender;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const ssize_t count = ::recvmsg(socket_.get(), &header, MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != ENOBUFS) return changed;
    if (count >= 0 && sender.nl_pid != 0) continue;  // not from the kernel
    ++notices_;
    if (count < 0 || (header.msg_flags & MSG_TRUNC) != 0) {  // some were lost
      changes_ = LinkChanges();
      primed_ = false;
      changed = true;
      continue;
    }
    std::string_view bytes(buffer, static_cast<size_t>(count));
    while (const std::optional<NetlinkMessage> message = NextMessage(&bytes)) {
      changed |= changes_.Apply(*message);
    }
  }
}

}  // namespace limiquantix
