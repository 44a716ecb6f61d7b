#include <napi.h>

#include "base/instance_data.h"
#include "files/files.h"
#include "freeze/freeze.h"
#include "port/port.h"
#include "process/process.h"
#include "sampler/sampler.h"
#ifdef _WIN32
#include "service/service.h"
#else
#include "service/notify.h"
#endif
#include "system/system.h"

namespace {

/// The whole surface of the addon; src/native has its types.
Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new limiquantix::InstanceData);
#ifdef _WIN32
  limiquantix::RegisterPort(env, exports);
  limiquantix::RegisterWalk(env, exports);
  limiquantix::RegisterFacts(env, exports);
  limiquantix::RegisterList(env, exports);
  limiquantix::RegisterNames(env, exports);
  limiquantix::RegisterAttributes(env, exports);
  limiquantix::RegisterOwners(env, exports);
  limiquantix::RegisterSync(env, exports);
  limiquantix::RegisterBoot(env, exports);
  limiquantix::RegisterPower(env, exports);
  limiquantix::RegisterClock(env, exports);
  limiquantix::RegisterLocalUsers(env, exports);
  limiquantix::RegisterAdapters(env, exports);
  limiquantix::RegisterListener(env, exports);
  limiquantix::RegisterPortWatch(env, exports);
  limiquantix::RegisterExit(env, exports);
  limiquantix::RegisterSampler(env, exports);
  limiquantix::RegisterServices(env, exports);
  limiquantix::RegisterServiceHost(env, exports);
  limiquantix::RegisterEventLog(env, exports);
  limiquantix::RegisterRegistry(env, exports);
  limiquantix::RegisterFolderOfService(env, exports);
  limiquantix::RegisterSpawn(env, exports);
  limiquantix::RegisterStreams(env, exports);
  limiquantix::RegisterEnvironment(env, exports);
  limiquantix::RegisterConsole(env, exports);
  limiquantix::RegisterAccounts(env, exports);
#else
  limiquantix::RegisterPort(env, exports);
  limiquantix::RegisterListener(env, exports);
  limiquantix::RegisterCore(env, exports);
  limiquantix::RegisterPty(env, exports);
  limiquantix::RegisterSpawn(env, exports);
  limiquantix::RegisterUsers(env, exports);
  limiquantix::RegisterSync(env, exports);
  limiquantix::RegisterReadFiles(env, exports);
  limiquantix::RegisterPlaceFiles(env, exports);
  limiquantix::RegisterSampler(env, exports);
  limiquantix::RegisterCached(env, exports);
  limiquantix::RegisterNames(env, exports);
  limiquantix::RegisterEntries(env, exports);
  limiquantix::RegisterPieces(env, exports);
  limiquantix::RegisterRemoval(env, exports);
  limiquantix::RegisterRename(env, exports);
  limiquantix::RegisterExit(env, exports);
  limiquantix::RegisterFreeze(env, exports);
  limiquantix::RegisterGuard(env, exports);
  limiquantix::RegisterClock(env, exports);
  limiquantix::RegisterClockDevices(env, exports);
  limiquantix::RegisterNotify(env, exports);
  limiquantix::RegisterProgramText(env, exports);
#endif
  return exports;
}

}  // namespace

NODE_API_MODULE(limiquantix, Init)
