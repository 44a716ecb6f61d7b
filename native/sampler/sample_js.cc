#include "sampler/sample_js.h"

#include <cstddef>
#include <string>

namespace limiquantix {
namespace {

// Plain Node-API and no status checks: these calls fail only when a worker is being terminated, and
// then nobody will see the object. node-addon-api would abort the process.

napi_value Js(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

napi_value Js(napi_env env, uint64_t value) { return Js(env, static_cast<double>(value)); }
napi_value Js(napi_env env, uint32_t value) { return Js(env, static_cast<double>(value)); }
napi_value Js(napi_env env, int value) { return Js(env, static_cast<double>(value)); }

napi_value Js(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

napi_value Js(napi_env env, const std::string& value) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, value.data(), value.size(), &result);
  return result;
}

napi_value Js(napi_env env, const char* value) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &result);
  return result;
}

/// An object under construction.
class Builder {
 public:
  explicit Builder(napi_env env) : env_(env) { napi_create_object(env, &object_); }

  template <typename T>
  Builder& Set(const char* name, const T& value) {
    if constexpr (std::is_same_v<T, napi_value>) {
      napi_set_named_property(env_, object_, name, value);
    } else {
      napi_set_named_property(env_, object_, name, Js(env_, value));
    }
    return *this;
  }

  napi_value Done() const { return object_; }

 private:
  napi_env env_;
  napi_value object_ = nullptr;
};

template <typename T, typename Convert>
napi_value List(napi_env env, const std::vector<T>& items, Convert convert) {
  napi_value array = nullptr;
  napi_create_array_with_length(env, items.size(), &array);
  for (size_t i = 0; i < items.size(); ++i) {
    napi_handle_scope scope = nullptr;
    napi_open_handle_scope(env, &scope);
    napi_set_element(env, array, static_cast<uint32_t>(i), convert(env, items[i]));
    napi_close_handle_scope(env, scope);
  }
  return array;
}

napi_value StringJs(napi_env env, const std::string& value) { return Js(env, value); }

napi_value CoreJs(napi_env env, const CoreUsage& core) {
  return Builder(env).Set("index", core.index).Set("usagePercent", core.percent).Done();
}

napi_value CpuJs(napi_env env, const CpuUsage& cpu) {
  return Builder(env)
      .Set("usagePercent", cpu.percent)
      .Set("cores", List(env, cpu.cores, CoreJs))
      .Done();
}

napi_value MemoryJs(napi_env env, const MemoryUsage& memory) {
  return Builder(env)
      .Set("totalBytes", memory.total_bytes)
      .Set("usedBytes", memory.total_bytes - memory.available_bytes)
      .Set("availableBytes", memory.available_bytes)
      .Set("swapTotalBytes", memory.swap_total_bytes)
      .Set("swapUsedBytes", memory.swap_total_bytes - memory.swap_free_bytes)
      .Done();
}

napi_value LoadJs(napi_env env, const LoadAverages& load) {
  napi_value array = nullptr;
  napi_create_array_with_length(env, 3, &array);
  for (uint32_t i = 0; i < 3; ++i) napi_set_element(env, array, i, Js(env, load.values[i]));
  return array;
}

napi_value FilesystemJs(napi_env env, const FilesystemUsage& usage) {
  // As df: of what a user who is not root could ever have.
  const double reachable = static_cast<double>(usage.used_bytes + usage.available_bytes);
  const double percent =
      reachable > 0 ? static_cast<double>(usage.used_bytes) / reachable * 100 : 0.0;
  return Builder(env)
      .Set("mountPoint", usage.mount_point)
      .Set("filesystem", usage.type)
      .Set("device", usage.device)
      .Set("totalBytes", usage.total_bytes)
      .Set("usedBytes", usage.used_bytes)
      .Set("availableBytes", usage.available_bytes)
      .Set("usagePercent", percent)
      .Done();
}

napi_value UnreachableJs(napi_env env, const UnreachableMount& mount) {
  Builder object(env);
  object.Set("mountPoint", mount.mount_point)
      .Set("filesystem", mount.type)
      .Set("device", mount.device)
      .Set("unresponsiveSeconds", mount.seconds);
  if (mount.error_code != nullptr) object.Set("error", mount.error_code);
  return object.Done();
}

napi_value InterfaceJs(napi_env env, const Interface& link) {
  static constexpr const char* kStates[] = {"unknown", "up", "down"};
  return Builder(env)
      .Set("index", link.index)
      .Set("name", link.name)
      .Set("kind", link.kind)
      .Set("loopback", link.loopback)
      .Set("state", kStates[static_cast<int>(link.state)])
      .Set("mtu", link.mtu)
      .Set("macAddress", link.mac_address)
      .Set("ipv4Addresses", List(env, link.ipv4_addresses, StringJs))
      .Set("ipv6Addresses", List(env, link.ipv6_addresses, StringJs))
      .Set("rxBytes", link.rx_bytes)
      .Set("txBytes", link.tx_bytes)
      .Set("rxPackets", link.rx_packets)
      .Set("txPackets", link.tx_packets)
      .Set("rxErrors", link.rx_errors)
      .Set("txErrors", link.tx_errors)
      .Set("rxDropped", link.rx_dropped)
      .Set("txDropped", link.tx_dropped)
      .Done();
}

napi_value DiskIoJs(napi_env env, const DiskIo& disk) {
  return Builder(env)
      .Set("device", disk.device)
      .Set("readBytes", disk.read_bytes)
      .Set("writeBytes", disk.write_bytes)
      .Set("reads", disk.reads)
      .Set("writes", disk.writes)
      .Set("busyPercent", disk.busy_percent)
      .Done();
}

napi_value StallJs(napi_env env, const Stall& stall) {
  Builder object(env);
  object.Set("someAvg10", stall.some.avg10)
      .Set("someAvg60", stall.some.avg60)
      .Set("someAvg300", stall.some.avg300)
      .Set("someTotalUs", stall.some.total_us);
  if (stall.full) {
    object.Set("fullAvg10", stall.full->avg10)
        .Set("fullAvg60", stall.full->avg60)
        .Set("fullAvg300", stall.full->avg300)
        .Set("fullTotalUs", stall.full->total_us);
  }
  return object.Done();
}

napi_value PressureJs(napi_env env, const Sample& sample) {
  Builder object(env);
  if (sample.cpu_pressure) object.Set("cpu", StallJs(env, *sample.cpu_pressure));
  if (sample.memory_pressure) object.Set("memory", StallJs(env, *sample.memory_pressure));
  if (sample.io_pressure) object.Set("io", StallJs(env, *sample.io_pressure));
  return object.Done();
}

}  // namespace

napi_value ToJs(napi_env env, const Sample& sample) {
  Builder object(env);
  if (sample.cpu) object.Set("cpu", CpuJs(env, *sample.cpu));
  if (sample.memory) object.Set("memory", MemoryJs(env, *sample.memory));
  if (sample.load) object.Set("load", LoadJs(env, *sample.load));
  if (sample.uptime_seconds) object.Set("uptimeSeconds", *sample.uptime_seconds);
  if (sample.process_count) object.Set("processCount", *sample.process_count);
  object.Set("filesystems", List(env, sample.filesystems, FilesystemJs));
  object.Set("unreachableMounts", List(env, sample.unreachable_mounts, UnreachableJs));
  if (sample.interfaces) object.Set("interfaces", List(env, *sample.interfaces, InterfaceJs));
  if (sample.disk_io) object.Set("diskIo", List(env, *sample.disk_io, DiskIoJs));
  object.Set("pressure", PressureJs(env, sample));
  return object.Done();
}

}  // namespace limiquantix
