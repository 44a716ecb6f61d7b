#include <cmath>

#include "process/spawn_request_win32.h"

namespace limiquantix {
namespace {

// SHORT of COORD.
constexpr double kLargestDimension = 32767.0;

bool ReadDimension(const Napi::Value& value, short* dimension) {
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 1 && number <= 65535) || std::floor(number) != number) return false;
  *dimension = static_cast<short>(std::fmin(number, kLargestDimension));
  return true;
}

bool ReadStrings(const Napi::Value& value, std::vector<std::wstring>* strings) {
  if (!value.IsArray()) return false;
  const Napi::Array array = value.As<Napi::Array>();
  strings->resize(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    Napi::HandleScope scope(value.Env());
    if (!ReadWide(array.Get(i), &(*strings)[i])) return false;
  }
  return true;
}

const char* ReadPty(const Napi::Value& value, SpawnRequest* request) {
  if (value.IsUndefined()) return nullptr;
  request->pty = true;
  if (value.IsObject()) {
    const Napi::Object size = value.As<Napi::Object>();
    if (ReadDimension(size.Get("columns"), &request->columns) &&
        ReadDimension(size.Get("rows"), &request->rows)) {
      return nullptr;
    }
  }
  return "pty: { columns, rows } of whole numbers from 1 to 65535";
}

}  // namespace

bool ReadWide(const Napi::Value& value, std::wstring* string) {
  static_assert(sizeof(wchar_t) == sizeof(char16_t));
  if (!value.IsString()) return false;
  const std::u16string text = value.As<Napi::String>().Utf16Value();
  string->assign(reinterpret_cast<const wchar_t*>(text.data()), text.size());
  return string->find(L'\0') == std::wstring::npos;
}

const char* ReadSpawnOptions(const Napi::Value& options, SpawnRequest* request) {
  if (!options.IsObject()) return "options: an object";
  const Napi::Object object = options.As<Napi::Object>();
  if (!ReadStrings(object.Get("files"), &request->files) || request->files.empty()) {
    return "files: at least one string without NUL";
  }
  if (!ReadWide(object.Get("commandLine"), &request->command_line)) {
    return "commandLine: a string without NUL";
  }
  std::vector<std::wstring> environment;
  if (!ReadStrings(object.Get("environment"), &environment)) {
    return "environment: strings without NUL";
  }
  for (const std::wstring& variable : environment) request->environment += variable + L'\0';
  // An empty block is two NULs, not one.
  request->environment.append(environment.empty() ? 2 : 1, L'\0');
  if (!ReadWide(object.Get("workingDirectory"), &request->working_directory)) {
    return "workingDirectory: a string without NUL";
  }
  const Napi::Value account = object.Get("account");
  if (!account.IsUndefined() && !ReadWide(account, &request->account)) {
    return "account: a string without NUL";
  }
  const char* const names[] = {"stdin", "stdout", "stderr"};
  for (int i = 0; i < 3; ++i) request->piped[i] = !object.Get(names[i]).IsUndefined();
  request->outlives = !object.Get("outlives").IsUndefined();
  return ReadPty(object.Get("pty"), request);
}

}  // namespace limiquantix
