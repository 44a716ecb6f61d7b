#include "fake_driver.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/lock.h"

namespace limiquantix {
namespace {

constexpr DWORD kNoSuchDevice = 433, kCantWait = 554;
constexpr size_t kPageBytes = 4096, kInfoBytes = 8;
constexpr size_t kMostWriteBytes = 128 * kPageBytes;

}  // namespace

class FakeDevice : public Device {
 public:
  explicit FakeDevice(std::shared_ptr<FakeDriver> driver) : driver_(std::move(driver)) {}
  ~FakeDevice() override { driver_->Closed(); }

  PortKind kind() const override { return PortKind::kVirtio; }
  DWORD Attach(HANDLE completion_port) override {
    driver_->completion_port_ = completion_port;
    return ERROR_SUCCESS;
  }
  DWORD Read(void* buffer, DWORD bytes, OVERLAPPED* overlapped) override {
    return driver_->Read(buffer, bytes, overlapped);
  }
  DWORD Write(const void* buffer, DWORD bytes, OVERLAPPED* overlapped) override {
    return driver_->Write(buffer, bytes, overlapped);
  }
  DWORD Query(void* buffer, DWORD bytes, OVERLAPPED* overlapped) override {
    return driver_->Query(buffer, bytes, overlapped);
  }
  DWORD Outcome(OVERLAPPED* overlapped, DWORD* bytes) override {
    *bytes = static_cast<DWORD>(overlapped->InternalHigh);
    return static_cast<DWORD>(overlapped->Internal);
  }
  void Cancel(OVERLAPPED* overlapped) override { driver_->Cancel(overlapped); }
  bool Watch(std::function<void(DeviceEvent)> on_event) override {
    if (!driver_->tells) return false;
    Lock lock(&driver_->mutex_);
    driver_->on_event_ = std::move(on_event);
    return true;
  }

 private:
  const std::shared_ptr<FakeDriver> driver_;
};

FakeDriver::FakeDriver() { uv_mutex_init(&mutex_); }
FakeDriver::~FakeDriver() { uv_mutex_destroy(&mutex_); }

std::unique_ptr<Device> FakeDriver::Open() {
  Lock lock(&mutex_);
  if (open_ || !plugged_) return nullptr;
  open_ = true;
  return std::make_unique<FakeDevice>(shared_from_this());
}

void FakeDriver::Complete(OVERLAPPED* overlapped, DWORD error, DWORD bytes) {
  overlapped->Internal = error;
  overlapped->InternalHigh = bytes;
  PostQueuedCompletionStatus(completion_port_, bytes, 0, overlapped);
}

DWORD FakeDriver::Take(void* buffer, DWORD bytes) {
  std::string& first = to_guest_.front();
  const size_t count = std::min<size_t>(bytes, first.size());
  std::memcpy(buffer, first.data(), count);
  first.erase(0, count);
  if (first.empty()) to_guest_.pop_front();
  return static_cast<DWORD>(count);
}

DWORD FakeDriver::Read(void* buffer, DWORD bytes, OVERLAPPED* overlapped) {
  Lock lock(&mutex_);
  ++counts_.reads;
  counts_.most_reads = std::max(counts_.most_reads, read_.overlapped == nullptr ? 1 : 2);
  if (!plugged_) return kNoSuchDevice;
  if (!to_guest_.empty()) {
    Complete(overlapped, ERROR_SUCCESS, Take(buffer, bytes));
    return ERROR_SUCCESS;
  }
  if (!host_) {
    ++counts_.refused_reads;
    return ERROR_NO_SYSTEM_RESOURCES;
  }
  read_ = {overlapped, buffer, bytes};
  return ERROR_IO_PENDING;
}

DWORD FakeDriver::Write(const void* buffer, DWORD bytes, OVERLAPPED* overlapped) {
  Lock lock(&mutex_);
  ++counts_.writes;
  counts_.most_writes = std::max(counts_.most_writes, write_.overlapped == nullptr ? 1 : 2);
  counts_.largest_write = std::max<size_t>(counts_.largest_write, bytes);
  if (!plugged_) return kNoSuchDevice;
  if (!host_ || queue_full || write_.overlapped != nullptr) {
    ++counts_.refused_writes;
    return kCantWait;
  }
  if (bytes > std::min(kMostWriteBytes, refuse_above)) {
    ++counts_.refused_writes;
    return ERROR_NO_SYSTEM_RESOURCES;
  }
  write_ = {overlapped, nullptr, bytes};
  to_host_.assign(static_cast<const char*>(buffer), bytes);
  return ERROR_IO_PENDING;
}

DWORD FakeDriver::Query(void* buffer, DWORD bytes, OVERLAPPED* overlapped) {
  Lock lock(&mutex_);
  ++counts_.queries;
  if (!plugged_) return kNoSuchDevice;
  if (bytes < kInfoBytes + name_bytes) {
    Complete(overlapped, ERROR_MORE_DATA, 0);
    return ERROR_IO_PENDING;
  }
  std::memset(buffer, 0, kInfoBytes + name_bytes);
  static_cast<char*>(buffer)[0] = 1;
  static_cast<char*>(buffer)[4] = queue_full;
  static_cast<char*>(buffer)[5] = host_;
  static_cast<char*>(buffer)[6] = 1;
  Complete(overlapped, ERROR_SUCCESS, static_cast<DWORD>(kInfoBytes + name_bytes));
  return ERROR_IO_PENDING;
}

void FakeDriver::Cancel(OVERLAPPED* overlapped) {
  Lock lock(&mutex_);
  if (read_.overlapped != overlapped) return;
  read_ = {};
  ++counts_.cancelled;
  Complete(overlapped, ERROR_OPERATION_ABORTED, 0);
}

void FakeDriver::Closed() {
  Lock lock(&mutex_);
  open_ = false;
  on_event_ = nullptr;
}

void FakeDriver::Tell(DeviceEvent event, int times) {
  std::function<void(DeviceEvent)> on_event;
  {
    Lock lock(&mutex_);
    on_event = on_event_;
  }
  for (int i = 0; on_event && i < times; ++i) on_event(event);
}

void FakeDriver::Connect(bool tell) {
  {
    Lock lock(&mutex_);
    host_ = true;
  }
  if (tell) Tell(DeviceEvent::kHostConnected, 1);
}

void FakeDriver::Disconnect(bool tell) {
  {
    Lock lock(&mutex_);
    host_ = false;
    // QEMU takes what nobody reads any more, and drops it.
    if (write_.overlapped != nullptr) Complete(write_.overlapped, ERROR_SUCCESS, write_.bytes);
    write_ = {};
    to_host_.clear();
    written_.clear();
  }
  if (tell) Tell(DeviceEvent::kHostAway, 1);
}

void FakeDriver::Replace() {
  Disconnect(false);
  Connect(false);
  Tell(DeviceEvent::kHostConnected, 2);
}

void FakeDriver::Send(std::string bytes) {
  Lock lock(&mutex_);
  for (size_t at = 0; at < bytes.size(); at += kPageBytes) {
    to_guest_.push_back(bytes.substr(at, kPageBytes));
  }
  if (read_.overlapped == nullptr) return;
  const Call read = std::exchange(read_, {});
  Complete(read.overlapped, ERROR_SUCCESS, Take(read.buffer, read.bytes));
}

std::string FakeDriver::Receive() {
  Lock lock(&mutex_);
  written_ += std::exchange(to_host_, {});
  if (write_.overlapped != nullptr) Complete(write_.overlapped, ERROR_SUCCESS, write_.bytes);
  write_ = {};
  return std::exchange(written_, {});
}

void FakeDriver::Unplug() {
  {
    Lock lock(&mutex_);
    plugged_ = host_ = false;
    if (read_.overlapped != nullptr) Complete(read_.overlapped, ERROR_OPERATION_ABORTED, 0);
    read_ = {};
  }
  Tell(DeviceEvent::kRemoved, 1);
}

DriverCounts FakeDriver::Counts() {
  Lock lock(&mutex_);
  return counts_;
}
bool FakeDriver::IsOpen() {
  Lock lock(&mutex_);
  return open_;
}
bool FakeDriver::IsWriting() {
  Lock lock(&mutex_);
  return write_.overlapped != nullptr;
}

}  // namespace limiquantix
