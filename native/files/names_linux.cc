#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "files/files.h"
#include "files/folder_reader_linux.h"
#include "files/job_linux.h"

namespace limiquantix {
namespace {

constexpr size_t kMaxNames = 65536;

/// Names as one buffer, with a NUL between: none has one.
Napi::Value Joined(Napi::Env env, const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) {
    if (!joined.empty()) joined += '\0';
    joined += name;
  }
  return Napi::Buffer<char>::Copy(env, joined.data(), joined.size());
}

/// std::string compares chars as unsigned: the order of bytes.
class NamesJob : public Job {
 public:
  NamesJob(Napi::Env env, std::string path, std::string after, size_t most, bool hidden)
      : Job(env, "limiquantix.Names"),
        path_(std::move(path)),
        after_(std::move(after)),
        most_(most),
        hidden_(hidden) {}

 private:
  SysError Run(std::string* failed_path) override {
    FolderReader folder(AT_FDCWD, path_.c_str());
    *failed_path = path_;
    if (!folder) return SysError{errno, "opendir"};
    while (const char* name = folder.Next()) {
      if (!hidden_ && name[0] == '.') continue;
      ++total_;
      Take(name);
    }
    if (errno != 0) return SysError{errno, "readdir"};
    std::sort_heap(names_.begin(), names_.end());
    return kNoError;
  }

  /// Keeps the first `most_` behind `after_`, in a heap whose top is the last of them.
  void Take(std::string name) {
    if (!after_.empty() && name <= after_) return;
    if (names_.size() == most_) {
      if (name >= names_.front()) return;
      std::pop_heap(names_.begin(), names_.end());
      names_.back() = std::move(name);
    } else {
      names_.push_back(std::move(name));
    }
    std::push_heap(names_.begin(), names_.end());
  }

  Napi::Value Value(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("names", Joined(env, names_));
    result.Set("total", Napi::Number::New(env, static_cast<double>(total_)));
    return result;
  }

  const std::string path_, after_;
  const size_t most_;
  const bool hidden_;
  std::vector<std::string> names_;
  uint64_t total_ = 0;
};

bool ReadCount(const Napi::CallbackInfo& info, size_t index, size_t* count) {
  const double value = info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : 0;
  if (value >= 1 && value <= static_cast<double>(kMaxNames)) {
    *count = static_cast<size_t>(value);
    return true;
  }
  Napi::TypeError::New(info.Env(), "a count from 1 to 65536").ThrowAsJavaScriptException();
  return false;
}

Napi::Value ReadNames(const Napi::CallbackInfo& info) {
  std::string path;
  size_t most = 0;
  if (!ReadPath(info, 0, &path) || !ReadCount(info, 2, &most)) return info.Env().Undefined();
  std::string after;
  if (info[1].IsBuffer()) {
    const auto buffer = info[1].As<Napi::Buffer<char>>();
    after.assign(buffer.Data(), buffer.Length());
  }
  return Job::Start(std::make_unique<NamesJob>(info.Env(), std::move(path), std::move(after), most,
                                               info[3].ToBoolean()));
}

}  // namespace

void RegisterNames(Napi::Env env, Napi::Object exports) {
  exports.Set("readNames", Napi::Function::New<ReadNames>(env, "readNames"));
}

}  // namespace limiquantix
