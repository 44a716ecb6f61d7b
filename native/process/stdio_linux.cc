#include "process/stdio_linux.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "process/pty_linux.h"

namespace limiquantix {
namespace {

constexpr char kNull[] = "/dev/null";
constexpr int kOutputPipeBytes = 256 * 1024;

/// The descriptor, or a copy of it that is above 2: the child's dup2 must not hit one that it still
/// needs, and makes no descriptor of its own survive exec unless the number changes.
UniqueFd AboveStandard(UniqueFd fd) {
  if (fd.get() > STDERR_FILENO || !fd) return fd;
  return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

/// The group tty of /etc/group, or -1. Read here, not with getgrnam: a name service may hang, and
/// the group of the system's terminals is not one that it knows better.
gid_t TtyGroup() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(::fopen("/etc/group", "re"), ::fclose);
  if (file == nullptr) return static_cast<gid_t>(-1);
  char line[256];
  bool at_start = true;
  while (::fgets(line, sizeof line, file.get()) != nullptr) {
    unsigned gid;
    if (at_start && std::sscanf(line, "tty:%*[^:]:%u", &gid) == 1) return gid;
    at_start = std::strchr(line, '\n') != nullptr;
  }
  return static_cast<gid_t>(-1);
}

}  // namespace

SpawnError Stdio::Open(const SpawnRequest& request) {
  if (request.pty) return OpenTerminal(request);
  for (int i = 0; i < 3; ++i) {
    if (request.piped[i]) {
      if (SpawnError error = OpenPipe(i, request.identity.get()); error.code != 0) return error;
      continue;
    }
    theirs[i] = AboveStandard(UniqueFd(::open(kNull, O_RDWR | O_CLOEXEC)));
    if (!theirs[i]) return {errno, "open", kNull};
  }
  return {};
}

SpawnError Stdio::OpenPipe(int index, const Identity* identity) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {errno, "pipe2"};
  const bool input = index == STDIN_FILENO;
  ours[index].Reset(ends[input ? 1 : 0]);
  theirs[index].Reset(ends[input ? 0 : 1]);
  theirs[index] = AboveStandard(std::move(theirs[index]));
  // Best effort: a command that prints much is then woken less often.
  if (!input) ::fcntl(ours[index].get(), F_SETPIPE_SZ, kOutputPipeBytes);
  // The command's end stays blocking: programs do not expect it otherwise.
  const int access = input ? O_WRONLY : O_RDONLY;
  if (!theirs[index] || ::fcntl(ours[index].get(), F_SETFL, access | O_NONBLOCK) != 0) {
    return {errno, "fcntl"};
  }
  // So that the user may open /dev/stdout; best effort.
  if (identity != nullptr && ::fchown(theirs[index].get(), identity->uid, identity->gid) != 0) {
  }
  return {};
}

SpawnError Stdio::OpenTerminal(const SpawnRequest& request) {
  Result<Pty> pty = OpenPty();
  if (!pty.ok()) return {pty.error().code, pty.error().syscall};
  master = std::move(pty.value().master);
  std::memcpy(pty_path, pty.value().path, sizeof pty_path);

  UniqueFd slave = AboveStandard(UniqueFd(::open(pty_path, O_RDWR | O_NOCTTY | O_CLOEXEC)));
  if (!slave) return {errno, "open", pty_path};
  termios mode{};
  if (::tcgetattr(slave.get(), &mode) != 0) return {errno, "tcgetattr", pty_path};
  mode.c_iflag |= IUTF8;
  if (::tcsetattr(slave.get(), TCSANOW, &mode) != 0) return {errno, "tcsetattr", pty_path};
  winsize size{};
  size.ws_col = request.columns;
  size.ws_row = request.rows;
  if (::ioctl(slave.get(), TIOCSWINSZ, &size) != 0) return {errno, "ioctl", pty_path};
  // As login(1) does, so that the user may open /dev/tty again and others may only write(1). Best
  // effort: an agent without privileges owns it already.
  const uid_t owner = request.identity != nullptr ? request.identity->uid : ::geteuid();
  if (::fchown(slave.get(), owner, TtyGroup()) == 0 && ::fchmod(slave.get(), 0620) != 0) {
    return {errno, "fchmod", pty_path};
  }

  for (int i = 1; i < 3; ++i) {
    theirs[i].Reset(::fcntl(slave.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!theirs[i]) return {errno, "fcntl"};
  }
  theirs[0] = std::move(slave);
  return {};
}

}  // namespace limiquantix
