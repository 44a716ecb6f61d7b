#include <uv.h>

#include <memory>
#include <string>

#include "base/error_win32.h"
#include "files/files.h"
#include "files/work_win32.h"

namespace limiquantix {
namespace {

constexpr DWORD kLongestPath = 32768;

/// `\\?\Volume{…}`, of the volume that an open file is in. It is the beginning of the file's path.
SysError VolumeOf(HANDLE file, std::wstring* volume) {
  volume->resize(kLongestPath);
  const DWORD length =
      GetFinalPathNameByHandleW(file, volume->data(), kLongestPath, VOLUME_NAME_GUID);
  if (length == 0) return LastError("GetFinalPathNameByHandleW");
  if (length >= kLongestPath) return SysError{-UV_ENAMETOOLONG, "GetFinalPathNameByHandleW"};
  volume->resize(length);
  const size_t end = volume->find(L"}\\");
  if (end == std::wstring::npos) return SysError{-UV_ENOSYS, "GetFinalPathNameByHandleW"};
  volume->resize(end + 1);  // with a backslash it would be the root folder
  return kNoError;
}

/// All that the volume has in memory is on disk afterwards. Only administrators may.
SysError FlushVolume(HANDLE file) {
  std::wstring name;
  if (SysError error = VolumeOf(file, &name); error.code != 0) return error;
  const UniqueHandle volume(CreateFileW(name.c_str(), GENERIC_READ | GENERIC_WRITE,
                                        FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_EXISTING,
                                        0, nullptr));
  if (!volume) return LastError("CreateFileW");
  if (!FlushFileBuffers(volume.get())) return LastError("FlushFileBuffers");
  return kNoError;
}

/// What was made, renamed or removed in a folder is on disk afterwards, where that can be asked
/// for.
SysError FlushFolder(HANDLE folder) {
  OpenHow how;
  how.access = FILE_ADD_FILE;  // to write is what it takes to flush
  how.options = FILE_DIRECTORY_FILE;
  Result<UniqueHandle> opened = OpenAt(folder, {}, how);
  if (!opened.ok()) return opened.error();
  return FlushFileBuffers(opened.value().get()) ? kNoError : LastError("FlushFileBuffers");
}

template <SysError (*flush)(HANDLE)>
Napi::Value WithHandle(const Napi::CallbackInfo& info) {
  const HANDLE file = HandleArgument(info[0]);
  return Work::Start(
      info.Env(), "limiquantix.Flush", [file] { return flush(file); }, Nothing);
}

}  // namespace

void RegisterSync(Napi::Env env, Napi::Object exports) {
  exports.Set("syncVolume", Napi::Function::New<WithHandle<FlushVolume>>(env, "syncVolume"));
  exports.Set("syncFolder", Napi::Function::New<WithHandle<FlushFolder>>(env, "syncFolder"));
}

}  // namespace limiquantix
