#include "sampler/mount_table_linux.h"

#include <poll.h>

#include <utility>

namespace limiquantix {
namespace {

bool IsSameMount(const Mount& a, const Mount& b) {
  return a.id == b.id && a.major == b.major && a.minor == b.minor &&
         a.mount_point == b.mount_point && a.type == b.type && a.source == b.source;
}

}  // namespace

MountTable::MountTable(std::vector<std::string> include)
    : include_(std::move(include)), mountinfo_("/proc/self/mountinfo") {}

std::optional<SourceError> MountTable::Refresh() {
  if (!HasChanged()) return std::nullopt;
  Result<std::string_view> text = mountinfo_.Read(&buffer_);
  if (!text.ok()) return SourceError{text.error(), mountinfo_.path()};
  read_ = true;
  std::vector<std::shared_ptr<StatfsProbe>> probes;
  for (Mount& mount : SelectMounts(ParseMountinfo(text.value()), include_)) {
    std::shared_ptr<StatfsProbe> probe;
    for (const std::shared_ptr<StatfsProbe>& known : probes_) {
      if (IsSameMount(known->mount(), mount)) probe = known;
    }
    // One that is stuck keeps its probe, and so is not asked a second time.
    if (!probe) probe.reset(new StatfsProbe(std::move(mount)));
    probes.push_back(std::move(probe));
  }
  probes_ = std::move(probes);
  return std::nullopt;
}

bool MountTable::HasChanged() {
  // The kernel reports a change once for each open file: so this asks before the list is read.
  pollfd entry{mountinfo_.fd(), POLLPRI, 0};
  const bool changed = ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLPRI | POLLERR)) != 0;
  return changed || !read_;
}

}  // namespace limiquantix
