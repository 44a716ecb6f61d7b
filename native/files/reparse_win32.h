#pragma once

#include <cstdint>
#include <string>

#include "files/nt_win32.h"

namespace limiquantix {

/// Where a symbolic link, a junction or a mounted volume leads.
struct Reparse {
  uint32_t tag = 0;
  std::wstring target;       ///< as the system resolves it: `\??\C:\x`, or `..\x`
  bool is_relative = false;  ///< to the folder that the link is in
};

/// Whether something else is meant than what has the tag. Compressed files and those of a cloud
/// have tags too, and are themselves.
bool IsLinkTag(uint32_t tag);

/// The attributes of an open file, and its tag, 0 where it has none.
SysError ReadTag(HANDLE file, uint32_t* attributes, uint32_t* tag);

/// Of a handle opened with FILE_OPEN_REPARSE_POINT. EINVAL: it is no link.
SysError ReadLink(HANDLE file, Reparse* link);

/// Makes a symbolic link of a new, empty file or folder. `print` is what is shown for `target`.
SysError WriteLink(HANDLE file, const std::wstring& target, const std::wstring& print,
                   bool is_relative);

/// A folder that is a mounted volume: not removed like a link.
bool IsVolumeMount(const Reparse& link);

}  // namespace limiquantix
