#include "process/stream_win32.h"

#include <uv.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error_win32.h"
#include "base/instance_data.h"
#include "base/napi_error.h"
#include "process/process.h"

namespace limiquantix {
namespace {

// At most what the pipe takes: more would have to wait for the reader.
constexpr size_t kWriteBytes = 64 * 1024;

// Bits of the event mask given to JavaScript; see src/native/port.ts.
constexpr uint32_t kReadable = 1, kWritable = 2, kError = 8;

bool IsEnd(DWORD error) {
  return error == ERROR_BROKEN_PIPE || error == ERROR_PIPE_NOT_CONNECTED || error == ERROR_NO_DATA;
}

SysError WriteError(DWORD error) {
  if (IsEnd(error)) return SysError{-UV_EPIPE, "WriteFile", error};
  return WindowsError(error, "WriteFile");
}

/// The bytes behind the first `skipped`, as many as are written at once.
std::vector<char> Gather(const Napi::Array& buffers, size_t skipped) {
  std::vector<char> gathered;
  for (uint32_t i = 0; i < buffers.Length() && gathered.size() < kWriteBytes; ++i) {
    Napi::HandleScope scope(buffers.Env());
    const Napi::Uint8Array bytes = buffers.Get(i).As<Napi::Uint8Array>();
    const size_t from = std::min(skipped, bytes.ByteLength());
    skipped -= from;
    const size_t count = std::min(bytes.ByteLength() - from, kWriteBytes - gathered.size());
    const char* const start = reinterpret_cast<const char*>(bytes.Data()) + from;
    gathered.insert(gathered.end(), start, start + count);
  }
  return gathered;
}

}  // namespace

Napi::Function Stream::Define(Napi::Env env) {
  return DefineClass(
      env, "Stream",
      {InstanceMethod<&Stream::Read>("read"), InstanceMethod<&Stream::Write>("write"),
       InstanceMethod<&Stream::CloseFromJs>("close"), InstanceAccessor<&Stream::Kind>("kind")});
}

bool Stream::Open(Endpoint endpoint, Napi::Function on_events) {
  endpoint_ = std::move(endpoint);
  callback_ = std::make_shared<Callback>(on_events);
  Result<std::shared_ptr<Wake>> wake = Wake::Create(Env(), this, OnWake, OnEnvironmentEnd);
  if (!wake.ok()) return Fail(wake.error());
  wake_ = wake.value();
  read_event_.Reset(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  if (!read_event_) return Fail(LastError("CreateEventW"));
  Result<std::unique_ptr<Operation>> watching = Operation::Create(wake_);
  if (!watching.ok()) return Fail(watching.error());
  watching_ = std::move(watching.value());
  if (endpoint_.output) {
    Result<std::unique_ptr<Operation>> writing = Operation::Create(wake_);
    if (!writing.ok()) return Fail(writing.error());
    writing_ = std::move(writing.value());
  }
  // One that has ended already has an edge all the same.
  has_edge_ = !watching_->StartWaiting(watched());
  if (has_edge_) wake_->Send();
  return true;
}

bool Stream::Fail(const SysError& error) {
  Close();
  NodeError(Env(), error).ThrowAsJavaScriptException();
  return false;
}

void Stream::OnWake(void* owner) {
  Stream* const stream = static_cast<Stream*>(owner);
  uint32_t mask = 0;
  if (stream->watching_->done()) {
    stream->watching_->End();
    stream->has_edge_ = true;
  }
  if (std::exchange(stream->has_edge_, false)) {
    mask |= stream->endpoint_.input ? kReadable : kError;
  }
  if (stream->writing_ && stream->writing_->done() && !stream->told_writable_) {
    stream->told_writable_ = true;
    mask |= kWritable;
  }
  if (mask == 0) return;
  Napi::Env env = stream->Env();
  Napi::HandleScope scope(env);
  const std::shared_ptr<Callback> callback = stream->callback_;
  callback->Call({Napi::Number::New(env, mask)});
}

/// read(buffer): bytes read; 0 when there are none now, and an edge follows; -1 at the end.
Napi::Value Stream::Read(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Uint8Array buffer = info[0].As<Napi::Uint8Array>();
  char* const bytes = reinterpret_cast<char*>(buffer.Data());
  DWORD read = 0;
  const DWORD error = endpoint_.input
                          ? ReadNow(bytes, static_cast<DWORD>(buffer.ByteLength()), &read)
                          : ERROR_INVALID_HANDLE;
  if (error == 0) return Napi::Number::New(env, read);
  if (IsEnd(error)) return Napi::Number::New(env, -1);
  NodeError(env, WindowsError(error, "ReadFile")).ThrowAsJavaScriptException();
  return env.Undefined();
}

/// Takes only what is there, so the call ends at once.
DWORD Stream::ReadNow(char* bytes, DWORD count, DWORD* read) {
  const HANDLE pipe = endpoint_.input.get();
  DWORD available = 0;
  if (!PeekNamedPipe(pipe, nullptr, 0, nullptr, &available, nullptr)) return GetLastError();
  if (available == 0) {
    // What comes from now on has an edge; what is done has one that is on its way.
    if (watching_->started() || watching_->StartWaiting(pipe)) return 0;
    return GetLastError();
  }
  OVERLAPPED overlapped{};
  overlapped.hEvent = read_event_.get();
  if (ReadFile(pipe, bytes, std::min(available, count), nullptr, &overlapped) ||
      GetLastError() == ERROR_IO_PENDING) {
    if (!HasOverlappedIoCompleted(&overlapped)) CancelIoEx(pipe, &overlapped);
    return GetOverlappedResult(pipe, &overlapped, read, TRUE) ? 0 : GetLastError();
  }
  return GetLastError();
}

/// write(buffers): bytes that the pipe has taken; fewer than given means that a writable event
/// follows. What waits for the reader counts when it has been read, and must be offered again until
/// then: after a close nothing is sent that nobody knows of.
Napi::Value Stream::Write(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto fail = [env](DWORD error) {
    NodeError(env, WriteError(error)).ThrowAsJavaScriptException();
    return env.Undefined();
  };
  if (!endpoint_.output) return fail(ERROR_INVALID_HANDLE);
  size_t written = 0;
  if (writing_->started()) {
    if (!writing_->done()) return Napi::Number::New(env, 0);
    if (const DWORD error = writing_->End(); error != 0) return fail(error);
    written = writing_->bytes();
  }
  const Napi::Array buffers = info[0].As<Napi::Array>();
  for (;;) {
    std::vector<char> bytes = Gather(buffers, written);
    if (bytes.empty()) break;
    told_writable_ = false;
    if (!writing_->StartWriting(endpoint_.output.get(), std::move(bytes))) {
      return fail(GetLastError());
    }
    if (!writing_->done()) break;
    if (const DWORD error = writing_->End(); error != 0) return fail(error);
    written += writing_->bytes();
  }
  return Napi::Number::New(env, static_cast<double>(written));
}

Napi::Value Stream::Kind(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), endpoint_.terminal ? "terminal" : "pipe");
}

void Stream::Close() {
  Operation::Abandon(std::move(watching_), watched());
  Operation::Abandon(std::move(writing_), endpoint_.output.get());
  if (wake_) wake_->Close();
  wake_.reset();
  callback_.reset();
  endpoint_.input.Reset();
  endpoint_.output.Reset();
  read_event_.Reset();
}

namespace {

/// openStream(number, onEvents): the port that a command's stream is.
Napi::Value OpenStream(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Endpoint endpoint;
  if (!info[0].IsNumber() || !info[1].IsFunction()) {
    Napi::TypeError::New(env, "openStream(number, onEvents)").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  InstanceData* const instance = env.GetInstanceData<InstanceData>();
  if (!instance->endpoints->Take(info[0].ToNumber().Int32Value(), &endpoint)) {
    NodeError(env, SysError{-UV_EBADF, "openStream"}).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const Napi::Object object = instance->stream.New({});
  Stream* const stream = object.IsEmpty() ? nullptr : Stream::Unwrap(object);
  if (stream == nullptr || !stream->Open(std::move(endpoint), info[1].As<Napi::Function>())) {
    return env.Undefined();
  }
  return object;
}

/// closeStream(number): of one that was not opened.
void CloseStream(const Napi::CallbackInfo& info) {
  Endpoint endpoint;
  info.Env().GetInstanceData<InstanceData>()->endpoints->Take(info[0].ToNumber().Int32Value(),
                                                              &endpoint);
}

}  // namespace

void RegisterStreams(Napi::Env env, Napi::Object exports) {
  InstanceData* const instance = env.GetInstanceData<InstanceData>();
  instance->stream = Napi::Persistent(Stream::Define(env));
  instance->endpoints = std::make_shared<Endpoints>();
  exports.Set("openStream", Napi::Function::New<OpenStream>(env, "openStream"));
  exports.Set("closeStream", Napi::Function::New<CloseStream>(env, "closeStream"));
}

}  // namespace limiquantix
