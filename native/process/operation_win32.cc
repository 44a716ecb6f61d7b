#include "process/operation_win32.h"

#include <utility>

#include "base/error_win32.h"

namespace limiquantix {
namespace {

// A named pipe of this machine cancels at once.
constexpr DWORD kCancelMs = 1000;

}  // namespace

Result<std::unique_ptr<Operation>> Operation::Create(std::shared_ptr<Wake> wake) {
  std::unique_ptr<Operation> operation(new Operation);
  operation->event_.Reset(CreateEventW(nullptr, FALSE, FALSE, nullptr));
  if (!operation->event_) return LastError("CreateEventW");
  operation->overlapped_.hEvent = operation->event_.get();
  const DWORD error = operation->watch_.Start(operation->event_.get(), std::move(wake), false);
  if (error != 0) return WindowsError(error, "RegisterWaitForSingleObject");
  return operation;
}

bool Operation::StartWaiting(HANDLE pipe) {
  bytes_.resize(1);
  return Started(pipe, ReadFile(pipe, bytes_.data(), 0, nullptr, &overlapped_));
}

bool Operation::StartWriting(HANDLE pipe, std::vector<char> bytes) {
  bytes_ = std::move(bytes);
  const DWORD count = static_cast<DWORD>(bytes_.size());
  return Started(pipe, WriteFile(pipe, bytes_.data(), count, nullptr, &overlapped_));
}

bool Operation::Started(HANDLE pipe, BOOL ended) {
  if (!ended && GetLastError() != ERROR_IO_PENDING) return false;
  pipe_ = pipe;
  started_ = true;
  return true;
}

DWORD Operation::End() {
  DWORD count = 0;
  started_ = false;
  return GetOverlappedResult(pipe_, &overlapped_, &count, FALSE) ? 0 : GetLastError();
}

void Operation::Abandon(std::unique_ptr<Operation> operation, HANDLE pipe) {
  if (!operation) return;
  operation->watch_.Stop();
  if (!operation->started_ || operation->done()) return;
  CancelIoEx(pipe, &operation->overlapped_);
  if (!operation->done()) WaitForSingleObject(operation->event_.get(), kCancelMs);
  // The kernel would still write into it.
  if (!operation->done()) operation.release();
}

}  // namespace limiquantix
