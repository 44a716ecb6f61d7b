#include <memory>
#include <utility>

#include "base/thread_call_win32.h"
#include "base/wide_win32.h"
#include "network/adapters_win32.h"
#include "system/system.h"

namespace limiquantix {
namespace {

Napi::String Text(Napi::Env env, const std::wstring& text) {
  return Napi::String::New(env, Utf8(text));
}

template <typename Item, typename Convert>
Napi::Array List(Napi::Env env, const std::vector<Item>& items, Convert convert) {
  const Napi::Array list = Napi::Array::New(env, items.size());
  for (size_t i = 0; i < items.size(); i++) {
    list.Set(static_cast<uint32_t>(i), convert(items[i]));
  }
  return list;
}

Napi::Object AddressOf(Napi::Env env, const AdapterAddress& address) {
  const Napi::Object value = Napi::Object::New(env);
  value.Set("address", Text(env, address.address));
  value.Set("prefix", Napi::Number::New(env, address.prefix));
  value.Set("isStatic", Napi::Boolean::New(env, address.is_static));
  return value;
}

Napi::Object RouteOf(Napi::Env env, const AdapterRoute& route) {
  const Napi::Object value = Napi::Object::New(env);
  value.Set("network", Text(env, route.network));
  value.Set("prefix", Napi::Number::New(env, route.prefix));
  value.Set("nextHop", Text(env, route.next_hop));
  value.Set("metric", Napi::Number::New(env, route.metric));
  value.Set("isStatic", Napi::Boolean::New(env, route.is_static));
  return value;
}

Napi::Object AdapterOf(Napi::Env env, const Adapter& adapter) {
  const Napi::Object value = Napi::Object::New(env);
  value.Set("index", Napi::Number::New(env, adapter.index));
  value.Set("guid", Text(env, adapter.guid));
  value.Set("name", Text(env, adapter.name));
  value.Set("title", Text(env, adapter.title));
  value.Set("mac", Napi::String::New(env, adapter.mac));
  value.Set("isUp", Napi::Boolean::New(env, adapter.is_up));
  value.Set("dhcp4", Napi::Boolean::New(env, adapter.dhcp4));
  value.Set("mtu4", Napi::Number::New(env, adapter.mtu4));
  value.Set("mtu6", Napi::Number::New(env, adapter.mtu6));
  value.Set("routerDiscovery", Napi::Boolean::New(env, adapter.router_discovery));
  value.Set("addresses", List(env, adapter.addresses,
                              [env](const AdapterAddress& item) { return AddressOf(env, item); }));
  value.Set("nameServers", List(env, adapter.name_servers,
                                [env](const std::wstring& item) { return Text(env, item); }));
  value.Set("staticNameServers4", Text(env, adapter.static_name_servers4));
  value.Set("staticNameServers6", Text(env, adapter.static_name_servers6));
  value.Set("routes", List(env, adapter.routes,
                           [env](const AdapterRoute& item) { return RouteOf(env, item); }));
  return value;
}

class AdaptersCall : public ThreadCall {
 private:
  SysError Run() override {
    Result<std::vector<Adapter>> found = ReadAdapters();
    if (!found.ok()) return found.error();
    adapters_ = std::move(found.value());
    return kSuccess;
  }

  Napi::Value Value(Napi::Env env) override {
    return List(env, adapters_, [env](const Adapter& item) { return AdapterOf(env, item); });
  }

  std::vector<Adapter> adapters_;
};

/// networkAdapters()
Napi::Value NetworkAdapters(const Napi::CallbackInfo& info) {
  return ThreadCall::Start(info.Env(), std::make_unique<AdaptersCall>());
}

}  // namespace

void RegisterAdapters(Napi::Env env, Napi::Object exports) {
  exports.Set("networkAdapters", Napi::Function::New<NetworkAdapters>(env, "networkAdapters"));
}

}  // namespace limiquantix
