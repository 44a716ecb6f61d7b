#pragma once

#include <napi.h>

#include <string>
#include <vector>

namespace limiquantix {

/// What to run and how: SpawnOptions of src/native/process.ts.
struct SpawnRequest {
  std::vector<std::wstring> files;
  std::wstring command_line;
  std::wstring environment;  ///< NAME=value, each with a NUL behind it, and one more
  std::wstring working_directory;
  std::wstring account;  ///< "DOMAIN\name"; empty: as this process
  bool piped[3] = {};    ///< stdin, stdout, stderr
  bool pty = false;
  short columns = 0, rows = 0;
  bool outlives = false;  ///< it goes on when this process ends
};

/// Reads SpawnOptions. Returns null or what is wrong with them.
const char* ReadSpawnOptions(const Napi::Value& options, SpawnRequest* request);

/// Whether the value is a string without NUL.
bool ReadWide(const Napi::Value& value, std::wstring* string);

}  // namespace limiquantix
