#include "process/spawn_options_linux.h"

#include <cmath>
#include <utility>

namespace limiquantix {
namespace {

constexpr double kLargestId = 4294967294.0;
constexpr double kLargestDimension = 65535.0;

bool ReadWhole(const Napi::Value& value, double largest, double* number) {
  if (!value.IsNumber()) return false;
  *number = value.As<Napi::Number>().DoubleValue();
  return *number >= 0 && *number <= largest && std::floor(*number) == *number;
}

bool ReadDimension(const Napi::Value& value, unsigned short* dimension) {
  double number;
  if (!ReadWhole(value, kLargestDimension, &number)) return false;
  *dimension = static_cast<unsigned short>(number);
  return true;
}

bool ReadStrings(const Napi::Value& value, std::vector<std::string>* strings) {
  if (!value.IsArray()) return false;
  const Napi::Array array = value.As<Napi::Array>();
  strings->resize(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    Napi::HandleScope scope(value.Env());
    if (!ReadString(array.Get(i), &(*strings)[i])) return false;
  }
  return true;
}

const char* ReadIdentity(const Napi::Value& value, std::unique_ptr<Identity>* identity) {
  constexpr const char* kWrong = "identity: { uid, gid, groups } of whole numbers below 4294967295";
  if (value.IsUndefined()) return nullptr;
  if (!value.IsObject()) return kWrong;
  const Napi::Object object = value.As<Napi::Object>();
  identity->reset(new Identity{});
  Identity& read = **identity;
  if (!ReadId(object.Get("uid"), &read.uid) || !ReadId(object.Get("gid"), &read.gid)) return kWrong;
  const Napi::Value groups = object.Get("groups");
  if (!groups.IsArray()) return kWrong;
  const Napi::Array array = groups.As<Napi::Array>();
  read.groups.resize(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    if (!ReadId(array.Get(i), &read.groups[i])) return kWrong;
  }
  return nullptr;
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
  return "pty: { columns, rows } of whole numbers up to 65535";
}

}  // namespace

bool ReadId(const Napi::Value& value, uid_t* id) {
  double number;
  if (!ReadWhole(value, kLargestId, &number)) return false;
  *id = static_cast<uid_t>(number);
  return true;
}

bool ReadString(const Napi::Value& value, std::string* string) {
  if (!value.IsString()) return false;
  char shorter[256];
  size_t bytes;  // at most what fits beside the NUL
  if (napi_get_value_string_utf8(value.Env(), value, shorter, sizeof shorter, &bytes) != napi_ok) {
    return false;
  }
  // A character that did not fit whole was left out.
  if (bytes + 4 < sizeof shorter) {
    string->assign(shorter, bytes);
  } else {
    *string = value.As<Napi::String>().Utf8Value();
  }
  return string->find('\0') == std::string::npos;
}

const char* ReadSpawnOptions(const Napi::Value& options, SpawnRequest* request) {
  if (!options.IsObject()) return "spawn(options, onExit)";
  const Napi::Object object = options.As<Napi::Object>();
  if (!ReadStrings(object.Get("files"), &request->files) || request->files.empty()) {
    return "files: strings without NUL, at least one";
  }
  if (!ReadStrings(object.Get("args"), &request->args)) return "args: strings without NUL";
  if (!ReadStrings(object.Get("environment"), &request->environment)) {
    return "environment: strings without NUL";
  }
  if (!ReadString(object.Get("workingDirectory"), &request->working_directory)) {
    return "workingDirectory: a string without NUL";
  }
  if (const char* wrong = ReadIdentity(object.Get("identity"), &request->identity)) return wrong;
  const char* const names[] = {"stdin", "stdout", "stderr"};
  for (int i = 0; i < 3; ++i) request->piped[i] = !object.Get(names[i]).IsUndefined();
  if (const char* wrong = ReadPty(object.Get("pty"), request)) return wrong;
  const Napi::Value cgroups = object.Get("cgroups");
  if (!cgroups.IsUndefined() && !ReadStrings(cgroups, &request->cgroups)) {
    return "cgroups: strings without NUL";
  }
  request->as_old_kernel = !object.Get("pidfd").IsUndefined();
  return nullptr;
}

}  // namespace limiquantix
