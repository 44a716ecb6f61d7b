#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "base/unique_fd.h"
#include "files/files.h"
#include "files/pieces_linux.h"
#include "files/stat_linux.h"

namespace limiquantix {
namespace {

// linux/openat2.h and linux/fs.h, which older systems do not have.
struct OpenHow {
  uint64_t flags, mode, resolve;
};
constexpr long kOpenat2 = 437;             // SYS_openat2, the same on all architectures
constexpr uint64_t kResolveCached = 0x20;  // only what is in memory: EAGAIN otherwise
constexpr uint32_t kMostTargets = 16;
constexpr int kNoWait = 0x8;  // RWF_NOWAIT: only what is in memory: EAGAIN otherwise
constexpr int kDontSync = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;

/// preadv2() with RWF_NOWAIT; musl has had a function for it only since 1.2.5.
ssize_t ReadAtOnce(int fd, const iovec* parts, size_t count, off_t offset) {
  return ::syscall(SYS_preadv2, fd, parts, count, static_cast<unsigned long>(offset), 0UL, kNoWait);
}

bool Look(int fd, struct statx* facts) {
  return Statx(fd, "", kDontSync, STATX_BASIC_STATS, facts) == 0;
}

/// Whether the path leads to the same file, as far as that is known without asking anybody.
bool LeadsTo(const char* path, const struct statx& wanted) {
  OpenHow how{O_PATH | O_CLOEXEC, 0, kResolveCached};
  const UniqueFd fd(static_cast<int>(::syscall(kOpenat2, AT_FDCWD, path, &how, sizeof how)));
  struct statx found;
  return fd && Look(fd.get(), &found) && found.stx_ino == wanted.stx_ino &&
         found.stx_dev_major == wanted.stx_dev_major && found.stx_dev_minor == wanted.stx_dev_minor;
}

/// Whether all of it could be read at once.
bool ReadNow(const PieceTarget& target, double* facts) {
  // Else a read may have to write down when it was, and wait for the disk.
  const int flags = ::fcntl(target.fd, F_GETFL);
  if (flags < 0 || (flags & O_NOATIME) == 0) return false;
  struct statx open;
  if (!Look(target.fd, &open) || !LeadsTo(target.path.c_str(), open)) return false;
  iovec data{target.data, target.bytes};
  const ssize_t got = ReadAtOnce(target.fd, &data, 1, target.offset);
  if (got < 0 || static_cast<size_t>(got) != target.bytes) return false;
  facts[kCount] = static_cast<double>(got);
  facts[kSize] = static_cast<double>(open.stx_size);
  facts[kMode] = open.stx_mode & 07777;
  facts[kModifiedSeconds] = static_cast<double>(open.stx_mtime.tv_sec);
  facts[kModifiedNanos] = open.stx_mtime.tv_nsec;
  return true;
}

Napi::Value ReadCached(const Napi::CallbackInfo& info) {
  PieceTarget target;
  if (!ReadTarget(info, &target)) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), ReadNow(target, info[4].As<Napi::Float64Array>().Data()));
}

/// Else a read may have to write down when it was, and wait for the disk.
bool SetNoAtime(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && ((flags & O_NOATIME) || ::fcntl(fd, F_SETFL, flags | O_NOATIME) == 0);
}

/// (fd, targets, offset)
Napi::Value ReadNowInto(const Napi::CallbackInfo& info) {
  const int fd = info[0].ToNumber().Int32Value();
  const Napi::Array targets = info[1].As<Napi::Array>();
  const auto offset = static_cast<off_t>(info[2].ToNumber().DoubleValue());
  iovec parts[kMostTargets];
  const uint32_t count = std::min<uint32_t>(targets.Length(), kMostTargets);
  for (uint32_t i = 0; i < count; ++i) {
    Napi::Uint8Array target = targets.Get(i).As<Napi::Uint8Array>();
    parts[i].iov_base = target.Data();
    parts[i].iov_len = target.ByteLength();
  }
  const ssize_t got = SetNoAtime(fd) ? ReadAtOnce(fd, parts, count, offset) : -1;
  return Napi::Number::New(info.Env(), static_cast<double>(std::max<ssize_t>(got, 0)));
}

}  // namespace

void RegisterCached(Napi::Env env, Napi::Object exports) {
  exports.Set("readCached", Napi::Function::New<ReadCached>(env, "readCached"));
  exports.Set("readNow", Napi::Function::New<ReadNowInto>(env, "readNow"));
}

}  // namespace limiquantix
