#include "sampler/volume_table_win32.h"

#include <windows.h>

#include <algorithm>
#include <utility>

#include "base/wide_win32.h"

namespace limiquantix {
namespace {

constexpr uint64_t kListedForMs = 10 * 1000;
constexpr size_t kMostVolumes = 256;
constexpr DWORD kNameLength = 64;  // of "\\?\Volume{…}\"
constexpr DWORD kPathsLength = 32 * 1024;

/// The first place where a volume is mounted; empty when it is not.
std::wstring FirstMountPoint(const wchar_t* volume) {
  std::wstring paths(MAX_PATH + 1, L'\0');
  DWORD length = 0;
  BOOL found = GetVolumePathNamesForVolumeNameW(volume, paths.data(),
                                                static_cast<DWORD>(paths.size()), &length);
  if (found == 0 && GetLastError() == ERROR_MORE_DATA && length <= kPathsLength) {
    paths.resize(length);
    found = GetVolumePathNamesForVolumeNameW(volume, paths.data(), length, &length);
  }
  return found == 0 ? std::wstring() : std::wstring(paths.c_str());
}

std::vector<Volume> FromMountManager() {
  std::vector<Volume> volumes;
  wchar_t name[kNameLength];
  const HANDLE search = FindFirstVolumeW(name, kNameLength);
  if (search == INVALID_HANDLE_VALUE) return volumes;
  do {
    if (GetDriveTypeW(name) != DRIVE_FIXED) continue;
    const std::wstring place = FirstMountPoint(name);
    if (!place.empty()) volumes.push_back({Utf8(place), "", Utf8(name)});
  } while (volumes.size() < kMostVolumes && FindNextVolumeW(search, name, kNameLength) != 0);
  FindVolumeClose(search);
  return volumes;
}

std::vector<Volume> FromDriveLetters() {
  std::vector<Volume> volumes;
  const DWORD drives = GetLogicalDrives();
  for (wchar_t letter = L'A'; letter <= L'Z'; ++letter) {
    if ((drives >> (letter - L'A') & 1) == 0) continue;
    const wchar_t root[] = {letter, L':', L'\\', L'\0'};
    if (GetDriveTypeW(root) == DRIVE_FIXED) volumes.push_back({Utf8(root), "", Utf8(root)});
  }
  return volumes;
}

bool HasSystem(const Volume& volume) {
  wchar_t folder[MAX_PATH + 1] = L"";
  GetSystemWindowsDirectoryW(folder, MAX_PATH);
  const std::wstring place = Wide(volume.mount_point);
  return place.size() == 3 && _wcsnicmp(folder, place.c_str(), place.size()) == 0;
}

}  // namespace

void VolumeList::Run() {
  SetThreadErrorMode(SEM_FAILCRITICALERRORS, nullptr);  // no dialog that waits for somebody
  volumes_ = FromMountManager();
  if (volumes_.empty()) volumes_ = FromDriveLetters();
  std::sort(volumes_.begin(), volumes_.end(),
            [](const Volume& a, const Volume& b) { return a.mount_point < b.mount_point; });
}

VolumeTable::VolumeTable(std::vector<std::string>) : list_(new VolumeList) {}

std::optional<SourceError> VolumeTable::Refresh() {
  const bool known = listed_at_ != 0 && GetTickCount64() - listed_at_ < kListedForMs;
  stage_ = known ? Stage::kDone : Stage::kDue;
  return std::nullopt;
}

std::vector<std::shared_ptr<Probe>> VolumeTable::Further(ProbeBoard& board) {
  switch (stage_) {
    case Stage::kDue:
      stage_ = Stage::kAsked;
      return {list_};
    case Stage::kAsked:
      stage_ = Stage::kDone;
      if (!board.HasAnswered(*list_)) return {};
      listed_at_ = GetTickCount64();
      return Adopt(list_->volumes());
    case Stage::kDone:
      break;
  }
  return {};
}

std::vector<std::shared_ptr<Probe>> VolumeTable::Adopt(const std::vector<Volume>& volumes) {
  std::vector<std::shared_ptr<VolumeProbe>> probes;
  std::vector<std::shared_ptr<Probe>> added;
  for (const Volume& volume : volumes) {
    std::shared_ptr<VolumeProbe> probe;
    for (const std::shared_ptr<VolumeProbe>& known : probes_) {
      const Volume& other = known->mount();
      if (other.mount_point == volume.mount_point && other.source == volume.source) probe = known;
    }
    // One that is stuck keeps its probe, and so is not asked a second time.
    if (!probe) {
      probe.reset(new VolumeProbe(volume, HasSystem(volume)));
      added.push_back(probe);
    }
    probes.push_back(std::move(probe));
  }
  probes_ = std::move(probes);
  return added;
}

}  // namespace limiquantix
