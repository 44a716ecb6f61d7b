#include "sampler/proc_files_linux.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

namespace limiquantix {
namespace {

constexpr size_t kBufferBytes = 16 * 1024;
// More than /proc/stat has on a machine with 8,192 CPUs and all its interrupts.
constexpr size_t kMaxFileBytes = 16 * 1024 * 1024;
constexpr uint64_t kSectorBytes = 512;  // in /proc/diskstats, whatever the device's own

// Ten of the clock ticks in which CPU time is counted: less tells nothing of a percentage.
constexpr uint64_t kMinPeriodNs = 100 * 1000 * 1000;

/// Memory disks, loop devices, floppies and CD drives.
bool IsDiskOfInterest(std::string_view name) {
  for (const std::string_view prefix : {"loop", "ram", "zram", "fd", "sr"}) {
    if (name.substr(0, prefix.size()) == prefix) return false;
  }
  return true;
}

/// Whether the device has an entry of its own in /sys/block; a partition has not.
bool IsWholeDisk(std::string_view name) {
  std::string path = "/sys/block/";
  for (const char c : name) path += c == '/' ? '!' : c;
  return ::access(path.c_str(), F_OK) == 0;
}

/// Share of `elapsed_ms` by a 32-bit counter of milliseconds.
double BusyShare(uint32_t before, uint32_t now, double elapsed_ms) {
  if (elapsed_ms <= 0) return 0;
  // Went backwards without being near its end: another device of the same name.
  if (now < before && before < 0xC0000000u) return 0;
  const uint32_t delta = now - before;  // modulo 2^32
  return std::min(100.0, static_cast<double>(delta) / elapsed_ms * 100);
}

}  // namespace

ProcFile::ProcFile(const char* path)
    : path_(path), fd_(::open(path, O_RDONLY | O_CLOEXEC)), open_error_(fd_ ? 0 : errno) {}

Result<std::string_view> ProcFile::Read(std::vector<char>* buffer) const {
  if (!fd_) return SysError{open_error_, "open"};
  if (buffer->size() < kBufferBytes) buffer->resize(kBufferBytes);
  size_t filled = 0;
  for (;;) {
    const ssize_t count = ::pread(fd_.get(), buffer->data() + filled, buffer->size() - filled,
                                  static_cast<off_t>(filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SysError{errno, "read"};
    if (count == 0) return std::string_view(buffer->data(), filled);
    filled += static_cast<size_t>(count);
    if (filled < buffer->size()) continue;
    if (filled >= kMaxFileBytes) return SysError{EFBIG, "read"};
    buffer->resize(buffer->size() * 2);
  }
}

ProcFiles::ProcFiles()
    : stat_("/proc/stat"),
      meminfo_("/proc/meminfo"),
      loadavg_("/proc/loadavg"),
      uptime_("/proc/uptime"),
      diskstats_("/proc/diskstats"),
      cpu_pressure_("/proc/pressure/cpu"),
      memory_pressure_("/proc/pressure/memory"),
      io_pressure_("/proc/pressure/io"),
      proc_("/proc"),
      period_began_at_(uv_hrtime()) {
  Result<std::string_view> stat = stat_.Read(&buffer_);
  if (stat.ok()) ParseStat(stat.value(), &before_);
  Result<std::string_view> disks = diskstats_.Read(&buffer_);
  if (disks.ok()) ReadDisks(disks.value(), Period{0, true, true});
}

std::optional<SourceError> ProcFiles::Read(Sample* sample) {
  std::optional<SourceError> failure;
  const uint64_t now = uv_hrtime();
  const uint64_t elapsed = now - period_began_at_;
  const bool ends = elapsed >= kMinPeriodNs;
  // The first reading may come soon after the sampler was made, but there is nothing to repeat.
  const Period period{static_cast<double>(elapsed) / 1e6, ends || !measured_, ends};
  if (const auto text = Text(stat_, &failure)) ReadCpu(*text, period, sample);
  if (const auto text = Text(meminfo_, &failure)) sample->memory = ParseMeminfo(*text);
  if (const auto text = Text(loadavg_, &failure)) sample->load = ParseLoadavg(*text);
  if (const auto text = Text(uptime_, &failure)) sample->uptime_seconds = ParseUptime(*text);
  sample->process_count = Processes(&failure);
  std::optional<SourceError> optional;  // not every kernel has these
  if (const auto text = Text(diskstats_, &optional)) sample->disk_io = ReadDisks(*text, period);
  sample->cpu_pressure = Pressure(cpu_pressure_);
  sample->memory_pressure = Pressure(memory_pressure_);
  sample->io_pressure = Pressure(io_pressure_);
  if (ends) {
    period_began_at_ = now;
    measured_ = true;
  }
  return failure;
}

std::optional<std::string_view> ProcFiles::Text(const ProcFile& file,
                                                std::optional<SourceError>* failure) {
  Result<std::string_view> text = file.Read(&buffer_);
  if (text.ok()) return text.value();
  if (!*failure) *failure = SourceError{text.error(), file.path()};
  return std::nullopt;
}

void ProcFiles::ReadCpu(std::string_view text, const Period& period, Sample* sample) {
  if (!ParseStat(text, &now_)) return;
  if (period.measure) {
    usage_.percent = BusyPercent(before_.all, now_.all).value_or(0.0);
    usage_.cores.clear();
    for (const CpuCounters::Core& core : now_.cores) {
      const auto same = [&core](const auto& other) { return other.index == core.index; };
      const auto before = std::find_if(before_.cores.begin(), before_.cores.end(), same);
      // A CPU that has just been plugged in starts here.
      const double percent = before == before_.cores.end()
                                 ? 0.0
                                 : BusyPercent(before->ticks, core.ticks).value_or(0.0);
      usage_.cores.push_back({core.index, percent});
    }
  }
  if (period.ends) std::swap(before_, now_);
  sample->cpu = usage_;
}

std::vector<DiskIo> ProcFiles::ReadDisks(std::string_view text, const Period& period) {
  ParseDiskstats(text, &counters_);
  std::vector<DiskIo> result;
  for (Disk& disk : disks_) disk.seen = false;
  for (const DiskCounters& counters : counters_) {
    if (!IsDiskOfInterest(counters.name)) continue;
    Disk* const disk = FindDisk(counters);
    disk->seen = true;
    if (!disk->whole) continue;
    if (period.measure) {
      disk->busy_percent = BusyShare(disk->busy_ms, counters.busy_ms, period.ms);
    }
    if (period.ends) disk->busy_ms = counters.busy_ms;
    result.push_back({disk->name, counters.sectors_read * kSectorBytes,
                      counters.sectors_written * kSectorBytes, counters.reads, counters.writes,
                      disk->busy_percent});
  }
  disks_.erase(
      std::remove_if(disks_.begin(), disks_.end(), [](const Disk& disk) { return !disk.seen; }),
      disks_.end());
  return result;
}

ProcFiles::Disk* ProcFiles::FindDisk(const DiskCounters& counters) {
  for (Disk& disk : disks_) {
    if (disk.major == counters.major && disk.minor == counters.minor &&
        disk.name == counters.name) {
      return &disk;
    }
  }
  disks_.push_back({counters.major, counters.minor, std::string(counters.name),
                    IsWholeDisk(counters.name), counters.busy_ms, 0, true});
  return &disks_.back();
}

std::optional<Stall> ProcFiles::Pressure(const ProcFile& file) {
  // Absent before Linux 4.20 and without CONFIG_PSI; EOPNOTSUPP when booted with psi=0.
  std::optional<SourceError> optional;
  const auto text = Text(file, &optional);
  return text ? ParsePressure(*text) : std::nullopt;
}

std::optional<uint32_t> ProcFiles::Processes(std::optional<SourceError>* failure) {
  // The fourth field of /proc/loadavg counts threads. Listing /proc costs 27 µs for 150 processes.
  if (proc_.fd() < 0) return std::nullopt;
  if (buffer_.size() < kBufferBytes) buffer_.resize(kBufferBytes);
  uint32_t count = 0;
  if (::lseek(proc_.fd(), 0, SEEK_SET) < 0) return std::nullopt;
  for (;;) {
    const long bytes = ::syscall(SYS_getdents64, proc_.fd(), buffer_.data(), buffer_.size());
    if (bytes == 0) return count;
    if (bytes < 0) {
      if (!*failure) *failure = SourceError{SysError{errno, "getdents64"}, proc_.path()};
      return std::nullopt;
    }
    count += CountProcesses(std::string_view(buffer_.data(), static_cast<size_t>(bytes)));
  }
}

}  // namespace limiquantix
