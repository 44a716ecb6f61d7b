#include "sampler/adapter_list_win32.h"

#include <utility>

#include "base/lock.h"

namespace limiquantix {

std::optional<std::vector<LinkEntry>> AdapterList::Get() {
  const Lock lock(&mutex_);
  return adapters_;
}

void AdapterList::Set(std::optional<std::vector<LinkEntry>> adapters) {
  const Lock lock(&mutex_);
  adapters_ = std::move(adapters);
}

}  // namespace limiquantix
