#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/error_win32.h"
#include "files/files.h"
#include "files/reparse_win32.h"
#include "files/work_win32.h"

namespace limiquantix {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

enum class Kind : uint8_t { kFile, kFolder, kLink };

/// A part of a folder: names with NUL between, and what they are.
struct Part {
  HANDLE folder;
  std::wstring names;
  std::vector<uint8_t> kinds;
  size_t entries = 0;

  SysError Run();
  void Take(const FILE_ID_BOTH_DIR_INFO& entry);
};

void Part::Take(const FILE_ID_BOTH_DIR_INFO& entry) {
  const std::wstring_view name(entry.FileName, entry.FileNameLength / sizeof(wchar_t));
  if (name == L"." || name == L"..") return;
  if (entries++ > 0) names += L'\0';
  names += name;
  // FILE_ID_BOTH_DIR_INFO has the tag where a file without one has the size of its EAs.
  const bool has_tag = (entry.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
  const Kind kind = has_tag && IsLinkTag(entry.EaSize)                  ? Kind::kLink
                    : (entry.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) ? Kind::kFolder
                                                                        : Kind::kFile;
  kinds.push_back(static_cast<uint8_t>(kind));
}

/// Goes on where the handle is; nothing at the end.
SysError Part::Run() {
  while (entries == 0) {
    alignas(FILE_ID_BOTH_DIR_INFO) char buffer[kBufferBytes];
    if (!GetFileInformationByHandleEx(folder, FileIdBothDirectoryInfo, buffer, sizeof buffer)) {
      const DWORD code = GetLastError();
      if (code == ERROR_NO_MORE_FILES || code == ERROR_FILE_NOT_FOUND) return kNoError;
      return WindowsError(code, "GetFileInformationByHandleEx");
    }
    for (const char* at = buffer;;) {
      const auto* entry = reinterpret_cast<const FILE_ID_BOTH_DIR_INFO*>(at);
      Take(*entry);
      if (entry->NextEntryOffset == 0) break;
      at += entry->NextEntryOffset;
    }
  }
  return kNoError;
}

/// readPart(folder): {names, kinds}
Napi::Value ReadPart(const Napi::CallbackInfo& info) {
  const auto part = std::make_shared<Part>();
  part->folder = HandleArgument(info[0]);
  return Work::Start(
      info.Env(), "limiquantix.ReadPart", [part] { return part->Run(); },
      [part](Napi::Env env) {
        Napi::Object result = Napi::Object::New(env);
        result.Set("names", ToString(env, part->names));
        result.Set("kinds",
                   Napi::Buffer<uint8_t>::Copy(env, part->kinds.data(), part->kinds.size()));
        return result;
      });
}

}  // namespace

void RegisterList(Napi::Env env, Napi::Object exports) {
  exports.Set("readPart", Napi::Function::New<ReadPart>(env, "readPart"));
}

}  // namespace limiquantix
