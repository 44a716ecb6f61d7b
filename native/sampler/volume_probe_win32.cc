#include "sampler/volume_probe_win32.h"

#include <uv.h>
#include <windows.h>

#include <algorithm>
#include <utility>

#include "base/error_win32.h"
#include "base/wide_win32.h"

namespace limiquantix {
namespace {

constexpr DWORD kLongestName = MAX_PATH + 1;

/// What has no file system that Windows knows has nothing to tell, like a disk that is not there.
int ErrorOf(DWORD code) {
  if (code == ERROR_UNRECOGNIZED_VOLUME || code == ERROR_PATH_NOT_FOUND) return -UV_ENOENT;
  return WindowsError(code, "").code;
}

}  // namespace

VolumeProbe::VolumeProbe(Volume volume, bool has_system)
    : Probe(has_system ? Trust::kEssential : Trust::kUnproven), volume_(std::move(volume)) {}

void VolumeProbe::Run() {
  SetThreadErrorMode(SEM_FAILCRITICALERRORS, nullptr);  // no dialog that waits for somebody
  const uint64_t total_before = std::exchange(answer_.total_bytes, 0);
  const std::wstring path = Wide(volume_.mount_point);
  ULARGE_INTEGER available{}, total{}, free{};
  if (GetDiskFreeSpaceExW(path.c_str(), &available, &total, &free) == 0) {
    answer_.error = ErrorOf(GetLastError());
    return;
  }
  // Asking costs more than the rest; a volume that is formatted anew changes its capacity.
  if (answer_.type.empty() || total.QuadPart != total_before) {
    wchar_t type[kLongestName] = L"";
    if (GetVolumeInformationW(path.c_str(), nullptr, 0, nullptr, nullptr, nullptr, type,
                              kLongestName) == 0) {
      answer_.error = ErrorOf(GetLastError());
      return;
    }
    answer_.type = Utf8(type);
  }
  answer_.error = 0;
  answer_.total_bytes = total.QuadPart;
  answer_.used_bytes = total.QuadPart - std::min(free.QuadPart, total.QuadPart);
  answer_.available_bytes = std::min(available.QuadPart, total.QuadPart);
}

}  // namespace limiquantix
