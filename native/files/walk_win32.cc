#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error_win32.h"
#include "files/files.h"
#include "files/reparse_win32.h"
#include "files/work_win32.h"

namespace limiquantix {
namespace {

constexpr size_t kMostNames = 16384;  // a path has no more

/// What is done about a link where the way ends. On the way there each one ends the walk.
enum class AtEnd : uint32_t { kStop, kOpen, kRefuse };

struct Walk {
  HANDLE folder = nullptr;  ///< where it begins; not owned
  std::wstring root;        ///< or this, an NT path
  std::vector<std::wstring> names;
  OpenHow how;
  AtEnd at_end = AtEnd::kStop;

  int fd = -1;
  size_t stopped_at = 0;  ///< the name that is a link
  Reparse link;           ///< with a tag when it has stopped

  SysError Run();

 private:
  SysError Step(HANDLE from, size_t index, UniqueHandle* opened);
};

/// What has a tag and is itself is opened once more, for its filter to see to.
SysError WithFilter(HANDLE from, const std::wstring& name, const OpenHow& how,
                    UniqueHandle* opened) {
  BY_HANDLE_FILE_INFORMATION one, other;
  Result<UniqueHandle> again = OpenAt(from, name, how);
  if (!again.ok()) return again.error();
  if (!GetFileInformationByHandle(opened->get(), &one) ||
      !GetFileInformationByHandle(again.value().get(), &other)) {
    return LastError("GetFileInformationByHandle");
  }
  // Replaced by a link meanwhile, which was followed.
  if (one.dwVolumeSerialNumber != other.dwVolumeSerialNumber ||
      one.nFileIndexHigh != other.nFileIndexHigh || one.nFileIndexLow != other.nFileIndexLow) {
    return SysError{-UV_ELOOP, "NtCreateFile"};
  }
  *opened = std::move(again.value());
  return kNoError;
}

SysError Walk::Step(HANDLE from, size_t index, UniqueHandle* opened) {
  const bool is_last = index + 1 == names.size();
  OpenHow now = is_last ? how : OpenHow{};
  now.options |= FILE_OPEN_REPARSE_POINT;
  Result<UniqueHandle> result = OpenAt(from, names[index], now);
  if (!result.ok()) return result.error();
  *opened = std::move(result.value());
  uint32_t attributes = 0, tag = 0;
  if (SysError error = ReadTag(opened->get(), &attributes, &tag); error.code != 0) return error;
  if (IsLinkTag(tag)) {
    if (is_last && at_end == AtEnd::kOpen) return kNoError;
    if (is_last && at_end == AtEnd::kRefuse) return SysError{-UV_ELOOP, "NtCreateFile"};
    stopped_at = index;
    return ReadLink(opened->get(), &link);
  }
  if (!is_last && !(attributes & FILE_ATTRIBUTE_DIRECTORY)) {
    return SysError{-UV_ENOTDIR, "NtCreateFile"};
  }
  if (tag == 0) return kNoError;
  now.options &= ~static_cast<ULONG>(FILE_OPEN_REPARSE_POINT);
  if (now.disposition == FILE_CREATE) return kNoError;
  return WithFilter(from, names[index], now, opened);
}

SysError Walk::Run() {
  UniqueHandle top;
  if (folder == nullptr) {
    Result<UniqueHandle> opened = OpenAt(nullptr, root, names.empty() ? how : OpenHow{});
    if (!opened.ok()) return opened.error();
    top = std::move(opened.value());
  } else if (names.empty()) {
    Result<UniqueHandle> opened = OpenAt(folder, {}, how);
    if (!opened.ok()) return opened.error();
    top = std::move(opened.value());
  }
  UniqueHandle at = std::move(top);
  for (size_t index = 0; index < names.size(); ++index) {
    UniqueHandle next;
    const SysError error = Step(at ? at.get() : folder, index, &next);
    if (error.code != 0 || link.tag != 0) return error;
    at = std::move(next);
  }
  fd = ToDescriptor(std::move(at));
  return fd < 0 ? SysError{-UV_EMFILE, "open"} : kNoError;
}

bool Split(const std::wstring& path, std::vector<std::wstring>* names) {
  for (size_t from = 0; from < path.size();) {
    const size_t end = std::min(path.find(L'\\', from), path.size());
    names->push_back(path.substr(from, end - from));
    if (!IsName(names->back()) || names->size() > kMostNames) return false;
    from = end + 1;
  }
  return true;
}

/// openWalk(folder or root, path, access, disposition, options, attributes, at_end)
Napi::Value OpenWalk(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto walk = std::make_shared<Walk>();
  if (info[0].IsString()) {
    walk->root = WideArgument(info[0]);
  } else {
    walk->folder = HandleArgument(info[0]);
  }
  const bool is_known = walk->folder != INVALID_HANDLE_VALUE;
  if (!is_known || !info[1].IsString() || !Split(WideArgument(info[1]), &walk->names)) {
    Napi::TypeError::New(env, "an open folder or a root, and names with \\ between")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  walk->how = OpenHow{NumberArgument(info[2]), NumberArgument(info[3]), NumberArgument(info[4]),
                      NumberArgument(info[5])};
  walk->at_end = static_cast<AtEnd>(NumberArgument(info[6]));
  return Work::Start(
      env, "limiquantix.OpenWalk", [walk] { return walk->Run(); },
      [walk](Napi::Env env) -> Napi::Value {
        if (walk->link.tag == 0) return Napi::Number::New(env, walk->fd);
        Napi::Object result = Napi::Object::New(env);
        result.Set("index", Napi::Number::New(env, static_cast<double>(walk->stopped_at)));
        result.Set("target", ToString(env, walk->link.target));
        result.Set("isRelative", Napi::Boolean::New(env, walk->link.is_relative));
        return result;
      });
}

}  // namespace

void RegisterWalk(Napi::Env env, Napi::Object exports) {
  exports.Set("openWalk", Napi::Function::New<OpenWalk>(env, "openWalk"));
}

}  // namespace limiquantix
