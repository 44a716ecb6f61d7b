#include "files/job_linux.h"

#include "base/napi_error.h"

namespace limiquantix {

Napi::Value Job::Start(std::unique_ptr<Job> job) {
  const Napi::Value promise = job->deferred_.Promise();
  job->Queue();
  job.release();
  return promise;
}

void Job::OnOK() {
  if (error_.code != 0) {
    deferred_.Reject(NodeError(Env(), error_, failed_path_).Value());
  } else {
    deferred_.Resolve(Value(Env()));
  }
}

void Job::OnError(const Napi::Error& error) { deferred_.Reject(error.Value()); }

bool ReadPath(const Napi::CallbackInfo& info, size_t index, std::string* path) {
  if (info[index].IsString()) {
    *path = info[index].As<Napi::String>().Utf8Value();
    if (path->find('\0') == std::string::npos) return true;
  }
  Napi::TypeError::New(info.Env(), "a path without NUL").ThrowAsJavaScriptException();
  return false;
}

}  // namespace limiquantix
