#pragma once

#include <cstdint>
#include <string>

#include "files/nt_win32.h"

namespace limiquantix {

/// In the order of entryNumber in src/native/files.ts.
constexpr size_t kEntryNumbers = 13;

/// What is told of a file.
struct FileFacts {
  int64_t numbers[kEntryNumbers] = {};
  std::wstring link;          ///< where it leads, as the system has it
  std::wstring owner, group;  ///< as S-1-5-18; empty where that is not told
};

/// Of a handle opened with FILE_OPEN_REPARSE_POINT if links are to be told as such.
SysError ReadFacts(HANDLE file, FileFacts* facts);

}  // namespace limiquantix
