#include "sampler/mounts_linux.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "sampler/proc_parse_linux.h"

namespace limiquantix {
namespace {

/// Mounts on top of mounts: deeper than any real system, and an end for garbage that has loops.
constexpr int kMaxDepth = 64;

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

/// fs/proc_namespace.c writes blank, tab, newline, backslash and '#' as \ooo.
std::string Unescape(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && text.size() - i > 3 && IsOctal(text[i + 1]) && IsOctal(text[i + 2]) &&
        IsOctal(text[i + 3])) {
      const int value = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      result += static_cast<char>(value);
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

// Documentation/filesystems/proc.rst, 3.5:
// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
std::optional<Mount> ParseLine(std::string_view text) {
  TextCursor line(text);
  Mount mount;
  const std::optional<uint64_t> id = ParseUnsigned(line.Word());
  const std::optional<uint64_t> parent = ParseUnsigned(line.Word());
  TextCursor device(line.Word());
  const std::optional<uint64_t> major = ParseUnsigned(device.Until(':'));
  const std::optional<uint64_t> minor = ParseUnsigned(device.Rest());
  if (!id || !parent || !major || !minor) return std::nullopt;
  mount.id = *id;
  mount.parent = *parent;
  mount.major = *major;
  mount.minor = *minor;
  mount.root = Unescape(line.Word());
  mount.mount_point = Unescape(line.Word());
  if (mount.mount_point.empty()) return std::nullopt;
  std::string_view field = line.Word();  // mount options, then optional fields up to "-"
  while (!field.empty() && field != "-") field = line.Word();
  if (field.empty()) return std::nullopt;
  mount.type = Unescape(line.Word());
  if (mount.type.empty()) return std::nullopt;
  // The source may be empty: then two blanks stand together.
  std::string_view rest = line.Rest();
  TextCursor tail(rest);
  const std::string_view source = tail.Word();
  const std::string_view options = tail.Word();
  if (!options.empty()) mount.source = Unescape(source);
  mount.read_only = TextCursor(options.empty() ? source : options).Until(',') == "ro";
  return mount;
}

bool Contains(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

template <size_t N>
bool IsOneOf(std::string_view item, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), item) != std::end(list);
}

bool IsWanted(const Mount& mount, const std::vector<std::string>& include) {
  static constexpr std::string_view kImages[] = {"squashfs", "iso9660", "erofs", "cramfs", "romfs"};
  // Local, but with device number 0:x since they span devices or have no block device.
  static constexpr std::string_view kLocal[] = {"btrfs", "zfs", "bcachefs", "ubifs"};
  if (mount.mount_point == "/" || Contains(include, mount.type)) return true;
  if (IsOneOf(mount.type, kImages)) return false;
  if (mount.type == "udf" && mount.read_only) return false;  // a DVD image
  return mount.major != 0 || IsOneOf(mount.type, kLocal);
}

/// Whether `outer` is a folder above `inner`.
bool IsAbove(std::string_view outer, std::string_view inner) {
  if (outer == "/") return inner.size() > 1;
  return inner.size() > outer.size() && inner[outer.size()] == '/' &&
         inner.substr(0, outer.size()) == outer;
}

/// Whether another mount covers this one, so that its path leads elsewhere.
bool IsHidden(const Mount& mount, const std::vector<Mount>& all) {
  for (const Mount& other : all) {
    if (other.parent == mount.id && other.mount_point == mount.mount_point &&
        other.id != mount.id) {
      return true;
    }
  }
  // A mount made later, on a folder above, has the same parent; one made earlier would be the
  // parent. The same holds for each mount that this one stands on.
  const Mount* current = &mount;
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    const Mount* parent = nullptr;
    for (const Mount& other : all) {
      if (other.id == current->id) continue;
      if (other.id == current->parent) parent = &other;
      // An initramfs that was never left is its own parent; it covers nothing.
      if (other.id == other.parent) continue;
      if (other.parent == current->parent && IsAbove(other.mount_point, current->mount_point)) {
        return true;
      }
    }
    if (parent == nullptr) return false;
    current = parent;
  }
  return false;
}

bool IsSameFilesystem(const Mount& a, const Mount& b) {
  if (a.major == b.major && a.minor == b.minor) return true;
  return a.type == "btrfs" && b.type == "btrfs" && !a.source.empty() && a.source == b.source;
}

/// Which of two mounts of one file system names it better.
bool IsBetterName(const Mount& a, const Mount& b) {
  const auto rank = [](const Mount& mount) {
    return mount.mount_point == "/" ? 0 : mount.root == "/" ? 1 : 2;
  };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  return a.mount_point.size() < b.mount_point.size();
}

}  // namespace

std::vector<Mount> ParseMountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  TextCursor lines(text);
  while (!lines.AtEnd()) {
    if (std::optional<Mount> mount = ParseLine(lines.Line())) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

std::vector<Mount> SelectMounts(const std::vector<Mount>& mounts,
                                const std::vector<std::string>& include) {
  std::vector<Mount> selected;
  for (const Mount& mount : mounts) {
    if (!IsWanted(mount, include) || IsHidden(mount, mounts)) continue;
    const auto same = std::find_if(selected.begin(), selected.end(), [&mount](const Mount& other) {
      return IsSameFilesystem(mount, other);
    });
    if (same == selected.end()) {
      selected.push_back(mount);
    } else if (IsBetterName(mount, *same)) {
      *same = mount;
    }
  }
  return selected;
}

}  // namespace limiquantix
