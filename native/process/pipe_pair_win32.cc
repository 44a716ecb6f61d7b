#include "process/pipe_pair_win32.h"

#include <windows.h>
//
#include <bcrypt.h>

#include <cstdint>
#include <cwchar>

#include "base/error_win32.h"

namespace limiquantix {
namespace {

// As Linux has it; what a command prints may wait in four times as much, so that it need not wait
// for each read.
constexpr DWORD kInputBytes = 64 * 1024;
constexpr DWORD kOutputBytes = 256 * 1024;

}  // namespace

// Only named pipes have overlapped I/O. Nobody else can take part in one: its name cannot be
// guessed, it takes one client, and that is there at once.
Result<PipePair> CreatePipePair(PipeDirection direction, bool inheritable) {
  uint64_t random[2];
  const NTSTATUS status = BCryptGenRandom(nullptr, reinterpret_cast<UCHAR*>(random), sizeof random,
                                          BCRYPT_USE_SYSTEM_PREFERRED_RNG);
  if (status < 0) return WindowsError(ERROR_GEN_FAILURE, "BCryptGenRandom");
  wchar_t name[80];
  std::swprintf(name, 80, L"\\\\.\\pipe\\limiquantix-%lu-%016llx%016llx", GetCurrentProcessId(),
                random[0], random[1]);

  const bool to_us = direction == PipeDirection::kToUs;
  PipePair pair;
  pair.ours.Reset(
      CreateNamedPipeW(name,
                       (to_us ? PIPE_ACCESS_INBOUND : PIPE_ACCESS_DUPLEX) | FILE_FLAG_OVERLAPPED |
                           FILE_FLAG_FIRST_PIPE_INSTANCE,
                       PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                       1, kInputBytes, kOutputBytes, 0, nullptr));
  if (!pair.ours) return LastError("CreateNamedPipeW");
  SECURITY_ATTRIBUTES attributes{sizeof attributes, nullptr, inheritable};
  const DWORD access =
      to_us ? GENERIC_WRITE | FILE_READ_ATTRIBUTES : GENERIC_READ | FILE_WRITE_ATTRIBUTES;
  pair.theirs.Reset(CreateFileW(name, access, 0, &attributes, OPEN_EXISTING, 0, nullptr));
  if (!pair.theirs) return LastError("CreateFileW");
  return pair;
}

}  // namespace limiquantix
