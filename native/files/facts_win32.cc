#include "files/facts_win32.h"

#include <aclapi.h>
#include <sddl.h>
#include <uv.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/error_win32.h"
#include "files/files.h"
#include "files/reparse_win32.h"
#include "files/work_win32.h"

namespace limiquantix {
namespace {

constexpr size_t kMostNames = 1024;
constexpr int64_t kUnixEpoch = 116444736000000000;  // in units of 100 ns since 1601

// Of stat(2).
constexpr int64_t kFile = 0100000, kFolder = 0040000, kLink = 0120000;

int64_t Nanoseconds(const LARGE_INTEGER& time) { return (time.QuadPart - kUnixEpoch) * 100; }

/// The read-only attribute of a folder says nothing about what may be done in it.
int64_t ModeOf(DWORD attributes, bool is_link) {
  if (is_link) return kLink | 0777;
  if (attributes & FILE_ATTRIBUTE_DIRECTORY) return kFolder | 0755;
  return kFile | ((attributes & FILE_ATTRIBUTE_READONLY) ? 0444 : 0644);
}

std::wstring SidText(PSID sid) {
  LPWSTR text = nullptr;
  if (sid == nullptr || !ConvertSidToStringSidW(sid, &text)) return {};
  const std::wstring result = text;
  LocalFree(text);
  return result;
}

/// A file system without owners has none, and a handle may not be allowed to tell.
void ReadOwners(HANDLE file, FileFacts* facts) {
  PSID owner = nullptr, group = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (GetSecurityInfo(file, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION,
                      &owner, &group, nullptr, nullptr, &descriptor) != ERROR_SUCCESS) {
    return;
  }
  facts->owner = SidText(owner);
  facts->group = SidText(group);
  LocalFree(descriptor);
}

/// One file of a folder, or nothing when it has gone.
SysError Look(HANDLE folder, std::wstring_view name, FileFacts* facts) {
  OpenHow how;
  how.options = FILE_OPEN_REPARSE_POINT;
  how.access = FILE_READ_ATTRIBUTES | READ_CONTROL;
  Result<UniqueHandle> opened = OpenAt(folder, name, how);
  if (opened.ok()) return ReadFacts(opened.value().get(), facts);
  return opened.error().code == -UV_ENOENT ? kNoError : opened.error();
}

struct Entries {
  HANDLE folder;
  std::vector<std::wstring> names;
  std::vector<FileFacts> facts;

  SysError Run() {
    facts.resize(names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      const SysError error = Look(folder, names[i], &facts[i]);
      if (error.code != 0) return error;
    }
    return kNoError;
  }
};

Napi::Value ToJs(Napi::Env env, const std::vector<FileFacts>& all) {
  Napi::BigInt64Array numbers = Napi::BigInt64Array::New(env, all.size() * kEntryNumbers);
  Napi::Array texts = Napi::Array::New(env, all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    std::copy(std::begin(all[i].numbers), std::end(all[i].numbers),
              numbers.Data() + i * kEntryNumbers);
    Napi::Object text = Napi::Object::New(env);
    text.Set("link", ToString(env, all[i].link));
    text.Set("owner", ToString(env, all[i].owner));
    text.Set("group", ToString(env, all[i].group));
    texts.Set(static_cast<uint32_t>(i), text);
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("numbers", numbers);
  result.Set("texts", texts);
  return result;
}

/// lookAt(folder, names): {numbers, texts}; without names, of the descriptor itself.
Napi::Value LookAt(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto entries = std::make_shared<Entries>();
  entries->folder = HandleArgument(info[0]);
  const bool of_itself = !info[1].IsArray();
  const Napi::Array names = of_itself ? Napi::Array::New(env) : info[1].As<Napi::Array>();
  bool is_right = entries->folder != INVALID_HANDLE_VALUE && names.Length() <= kMostNames;
  for (uint32_t i = 0; is_right && i < names.Length(); ++i) {
    entries->names.push_back(WideArgument(names.Get(i)));
    is_right = IsName(entries->names.back());
  }
  if (!is_right) {
    Napi::TypeError::New(env, "a descriptor, and up to 1024 names").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  return Work::Start(
      env, "limiquantix.LookAt",
      [entries, of_itself] {
        if (!of_itself) return entries->Run();
        entries->facts.resize(1);
        return ReadFacts(entries->folder, &entries->facts[0]);
      },
      [entries](Napi::Env env) { return ToJs(env, entries->facts); });
}

}  // namespace

SysError ReadFacts(HANDLE file, FileFacts* facts) {
  BY_HANDLE_FILE_INFORMATION all;
  FILE_BASIC_INFO basic;
  FILE_STANDARD_INFO standard;
  if (!GetFileInformationByHandle(file, &all) ||
      !GetFileInformationByHandleEx(file, FileBasicInfo, &basic, sizeof basic) ||
      !GetFileInformationByHandleEx(file, FileStandardInfo, &standard, sizeof standard)) {
    return LastError("GetFileInformationByHandle");
  }
  Reparse link;
  if (all.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) {
    uint32_t attributes = 0, tag = 0;
    const SysError error = ReadTag(file, &attributes, &tag);
    if (error.code != 0) return error;
    // Where a link of a kind that is not known leads cannot be told.
    if (IsLinkTag(tag) && ReadLink(file, &link).code != 0) link.tag = tag;
  }
  const bool is_folder = (all.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
  const int64_t numbers[kEntryNumbers] = {
      all.dwVolumeSerialNumber,
      static_cast<int64_t>((static_cast<uint64_t>(all.nFileIndexHigh) << 32) | all.nFileIndexLow),
      ModeOf(all.dwFileAttributes, link.tag != 0), standard.NumberOfLinks, 0, 0,
      is_folder || link.tag != 0 ? 0 : standard.EndOfFile.QuadPart,
      (standard.AllocationSize.QuadPart + 511) / 512, Nanoseconds(basic.LastAccessTime),
      Nanoseconds(basic.LastWriteTime),
      // A file system that keeps none says 0.
      Nanoseconds(basic.ChangeTime.QuadPart != 0 ? basic.ChangeTime : basic.LastWriteTime),
      Nanoseconds(basic.CreationTime), 1};
  std::copy(std::begin(numbers), std::end(numbers), facts->numbers);
  facts->link = std::move(link.target);
  ReadOwners(file, facts);
  return kNoError;
}

void RegisterFacts(Napi::Env env, Napi::Object exports) {
  exports.Set("lookAt", Napi::Function::New<LookAt>(env, "lookAt"));
}

}  // namespace limiquantix
