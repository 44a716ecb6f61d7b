// An addon of its own for tests: the port of the agent's, over a driver that can be played with.
#include <napi.h>
#include <uv.h>

#include <utility>

#include "base/instance_data.h"
#include "fake_driver.h"
#include "port/port.h"
#include "port/source_win32.h"

namespace limiquantix {
namespace {

class Driver : public Napi::ObjectWrap<Driver> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "FakeDriver",
        {InstanceMethod<&Driver::Connect>("connect"),
         InstanceMethod<&Driver::Disconnect>("disconnect"),
         InstanceMethod<&Driver::Replace>("replace"), InstanceMethod<&Driver::Send>("send"),
         InstanceMethod<&Driver::Receive>("receive"), InstanceMethod<&Driver::Unplug>("unplug"),
         InstanceMethod<&Driver::Behave>("behave"), InstanceMethod<&Driver::State>("state")});
  }
  explicit Driver(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Driver>(info) {}

  const std::shared_ptr<FakeDriver> driver = std::make_shared<FakeDriver>();

 private:
  static bool Tells(const Napi::CallbackInfo& info) {
    return info.Length() == 0 || info[0].ToBoolean();
  }
  void Connect(const Napi::CallbackInfo& info) { driver->Connect(Tells(info)); }
  void Disconnect(const Napi::CallbackInfo& info) { driver->Disconnect(Tells(info)); }
  void Replace(const Napi::CallbackInfo&) { driver->Replace(); }
  void Unplug(const Napi::CallbackInfo&) { driver->Unplug(); }
  void Send(const Napi::CallbackInfo& info) {
    const Napi::Uint8Array bytes = info[0].As<Napi::Uint8Array>();
    driver->Send(std::string(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()));
  }
  Napi::Value Receive(const Napi::CallbackInfo& info) {
    const std::string bytes = driver->Receive();
    return Napi::Buffer<char>::Copy(info.Env(), bytes.data(), bytes.size());
  }
  void Behave(const Napi::CallbackInfo& info) {
    const Napi::Object how = info[0].As<Napi::Object>();
    if (how.Has("tells")) driver->tells = how.Get("tells").ToBoolean();
    if (how.Has("queueFull")) driver->queue_full = how.Get("queueFull").ToBoolean();
    if (how.Has("nameBytes")) driver->name_bytes = how.Get("nameBytes").ToNumber().Uint32Value();
    if (how.Has("refuseAbove")) {
      driver->refuse_above = how.Get("refuseAbove").ToNumber().Uint32Value();
    }
  }
  Napi::Value State(const Napi::CallbackInfo& info) {
    const DriverCounts counts = driver->Counts();
    Napi::Object state = Napi::Object::New(info.Env());
    state.Set("reads", counts.reads);
    state.Set("writes", counts.writes);
    state.Set("queries", counts.queries);
    state.Set("mostReads", counts.most_reads);
    state.Set("mostWrites", counts.most_writes);
    state.Set("refusedReads", counts.refused_reads);
    state.Set("refusedWrites", counts.refused_writes);
    state.Set("cancelled", counts.cancelled);
    state.Set("largestWrite", static_cast<double>(counts.largest_write));
    state.Set("isOpen", driver->IsOpen());
    state.Set("isWriting", driver->IsWriting());
    return state;
  }
};

}  // namespace

Result<std::unique_ptr<Device>> OpenSource(Napi::Object source, std::string* path) {
  *path = "fake";
  Driver* const wrapped = Driver::Unwrap(source.Get("driver").As<Napi::Object>());
  std::unique_ptr<Device> device = wrapped->driver->Open();
  if (device == nullptr) return SysError{-UV_EBUSY, "open"};
  return device;
}

}  // namespace limiquantix

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new limiquantix::InstanceData);
  limiquantix::RegisterPort(env, exports);
  exports.Set("FakeDriver", limiquantix::Driver::Define(env));
  return exports;
}

NODE_API_MODULE(limiquantix_test, Init)
