#include "sampler/proc_parse_linux.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace limiquantix {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr uint64_t kKibibyte = 1024;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// "  123 kB" in bytes.
std::optional<uint64_t> ParseKibibytes(std::string_view text) {
  const std::optional<uint64_t> count = ParseUnsigned(TextCursor(text).Word());
  if (!count || *count > UINT64_MAX / kKibibyte) return std::nullopt;
  return *count * kKibibyte;
}

/// "avg10=0.55 avg60=0.57 avg300=0.45 total=16595726"
std::optional<StallTimes> ParseStallTimes(std::string_view text) {
  StallTimes times{};
  int found = 0;
  TextCursor words(text);
  for (std::string_view word = words.Word(); !word.empty(); word = words.Word()) {
    TextCursor pair(word);
    const std::string_view key = pair.Until('=');
    const std::string_view value = pair.Rest();
    if (key == "total") {
      const std::optional<uint64_t> total = ParseUnsigned(value);
      if (!total) return std::nullopt;
      times.total_us = *total;
      ++found;
      continue;
    }
    double* const target = key == "avg10"    ? &times.avg10
                           : key == "avg60"  ? &times.avg60
                           : key == "avg300" ? &times.avg300
                                             : nullptr;
    if (target == nullptr) continue;
    const std::optional<double> percent = ParseDecimal(value);
    if (!percent) return std::nullopt;
    *target = *percent;
    ++found;
  }
  if (found != 4) return std::nullopt;
  return times;
}

}  // namespace

std::string_view TextCursor::Word() {
  text_ = Rest();
  const size_t end = std::min(text_.find_first_of(kBlanks), text_.size());
  const std::string_view word = text_.substr(0, end);
  text_.remove_prefix(end);
  return word;
}

std::string_view TextCursor::Until(char separator) {
  const size_t end = text_.find(separator);
  const std::string_view part = text_.substr(0, end);
  text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
  return part;
}

std::string_view TextCursor::Rest() {
  const size_t start = std::min(text_.find_first_not_of(kBlanks), text_.size());
  return text_.substr(start);
}

std::optional<uint64_t> ParseUnsigned(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    if (value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<double> ParseDecimal(std::string_view text) {
  TextCursor parts(text);
  const std::string_view whole = parts.Until('.');
  const std::string_view fraction = parts.Rest();
  // Numerator and denominator are exact as doubles, so that the quotient is rounded once.
  if (whole.size() + fraction.size() > 15) return std::nullopt;
  const std::optional<uint64_t> integer = ParseUnsigned(whole);
  if (!integer) return std::nullopt;
  if (fraction.empty()) return static_cast<double>(*integer);
  const std::optional<uint64_t> digits = ParseUnsigned(fraction);
  if (!digits) return std::nullopt;
  uint64_t scale = 1;
  for (size_t i = 0; i < fraction.size(); ++i) scale *= 10;
  return static_cast<double>(*integer * scale + *digits) / static_cast<double>(scale);
}

bool ParseStat(std::string_view text, CpuCounters* out) {
  out->cores.clear();
  bool found = false;
  TextCursor lines(text);
  while (!lines.AtEnd()) {
    TextCursor line(lines.Line());
    const std::string_view name = line.Word();
    if (name.substr(0, 3) != "cpu") break;  // the CPUs come first; what follows is long
    CpuTicks ticks;
    int count = 0;
    for (; count < CpuTicks::kCount; ++count) {
      const std::optional<uint64_t> value = ParseUnsigned(line.Word());
      if (!value) break;
      ticks.values[count] = *value;
    }
    if (count <= CpuTicks::kIdle) continue;  // the later columns came with later kernels
    if (name.size() == 3) {
      out->all = ticks;
      found = true;
      continue;
    }
    const std::optional<uint64_t> index = ParseUnsigned(name.substr(3));
    if (index && *index <= UINT32_MAX) {
      out->cores.push_back({static_cast<uint32_t>(*index), ticks});
    }
  }
  return found;
}

std::optional<MemoryUsage> ParseMeminfo(std::string_view text) {
  std::optional<uint64_t> total, free, available, buffers, cached, swap_total, swap_free;
  TextCursor lines(text);
  while (!lines.AtEnd()) {
    TextCursor line(lines.Line());
    const std::string_view key = line.Until(':');
    std::optional<uint64_t>* const target = key == "MemTotal"       ? &total
                                            : key == "MemFree"      ? &free
                                            : key == "MemAvailable" ? &available
                                            : key == "Buffers"      ? &buffers
                                            : key == "Cached"       ? &cached
                                            : key == "SwapTotal"    ? &swap_total
                                            : key == "SwapFree"     ? &swap_free
                                                                    : nullptr;
    if (target != nullptr) *target = ParseKibibytes(line.Rest());
  }
  if (!total) return std::nullopt;
  if (!available) {  // before Linux 3.14
    if (!free) return std::nullopt;
    available = *free + buffers.value_or(0) + cached.value_or(0);
  }
  MemoryUsage memory;
  memory.total_bytes = *total;
  memory.available_bytes = std::min(*available, *total);
  memory.swap_total_bytes = swap_total.value_or(0);
  memory.swap_free_bytes = std::min(swap_free.value_or(0), memory.swap_total_bytes);
  return memory;
}

std::optional<LoadAverages> ParseLoadavg(std::string_view text) {
  TextCursor words(text);
  LoadAverages load{};
  for (double& value : load.values) {
    const std::optional<double> parsed = ParseDecimal(words.Word());
    if (!parsed) return std::nullopt;
    value = *parsed;
  }
  return load;
}

std::optional<double> ParseUptime(std::string_view text) {
  return ParseDecimal(TextCursor(text).Word());
}

std::optional<Stall> ParsePressure(std::string_view text) {
  std::optional<StallTimes> some, full;
  TextCursor lines(text);
  while (!lines.AtEnd()) {
    TextCursor line(lines.Line());
    const std::string_view name = line.Word();
    if (name == "some") some = ParseStallTimes(line.Rest());
    if (name == "full") full = ParseStallTimes(line.Rest());
  }
  if (!some) return std::nullopt;
  return Stall{*some, full};
}

void ParseDiskstats(std::string_view text, std::vector<DiskCounters>* out) {
  out->clear();
  TextCursor lines(text);
  while (!lines.AtEnd()) {
    TextCursor line(lines.Line());
    const std::optional<uint64_t> major = ParseUnsigned(line.Word());
    const std::optional<uint64_t> minor = ParseUnsigned(line.Word());
    const std::string_view name = line.Word();
    // Documentation/admin-guide/iostats.rst: reads, merged, sectors, ms, writes, merged, sectors,
    // ms, in flight, ms busy.
    uint64_t fields[10];
    size_t count = 0;
    for (; count < std::size(fields); ++count) {
      const std::optional<uint64_t> value = ParseUnsigned(line.Word());
      if (!value) break;
      fields[count] = *value;
    }
    if (!major || !minor || name.empty() || count < std::size(fields)) continue;
    out->push_back({static_cast<uint32_t>(*major), static_cast<uint32_t>(*minor), name, fields[0],
                    fields[2], fields[4], fields[6], static_cast<uint32_t>(fields[9])});
  }
}

std::optional<double> BusyPercent(const CpuTicks& before, const CpuTicks& after) {
  uint64_t busy = 0, total = 0;
  for (int i = 0; i < CpuTicks::kCount; ++i) {
    if (after.values[i] <= before.values[i]) continue;
    const uint64_t delta = after.values[i] - before.values[i];
    total += delta;
    if (i != CpuTicks::kIdle && i != CpuTicks::kIowait) busy += delta;
  }
  if (total == 0) return std::nullopt;
  return std::min(100.0, static_cast<double>(busy) / static_cast<double>(total) * 100);
}

uint32_t CountProcesses(std::string_view records) {
  // struct linux_dirent64: u64 inode, s64 offset, u16 record length, u8 type, then the name.
  constexpr size_t kLengthAt = 16, kNameAt = 19;
  uint32_t count = 0;
  while (records.size() > kNameAt) {
    uint16_t length;
    std::memcpy(&length, records.data() + kLengthAt, sizeof length);
    if (length <= kNameAt || length > records.size()) break;
    if (IsDigit(records[kNameAt])) ++count;
    records.remove_prefix(length);
  }
  return count;
}

}  // namespace limiquantix
