#include "sampler/links_linux.h"

#include <utility>

namespace limiquantix {

void Links::Begin() {
  if (watch_ != nullptr) notices_at_start_ = watch_->notices();
}

std::optional<std::vector<Interface>> Links::Take() {
  std::optional<std::vector<Interface>> interfaces = probe_->TakeInterfaces();
  if (!interfaces) return interfaces;
  LinkChanges known = probe_->TakeKnown();
  if (watch_ != nullptr && !watch_->primed()) watch_->Prime(std::move(known), notices_at_start_);
  return interfaces;
}

int Links::Watch(uv_loop_t* loop, void* owner, LinkWatch::OnChange on_change,
                 LinkWatch::OnClosed on_closed) {
  Result<LinkWatch*> watch = LinkWatch::Start(loop, owner, on_change, on_closed);
  if (!watch.ok()) return watch.error().code;
  watch_ = watch.value();
  return 0;
}

void Links::Unwatch() {
  if (watch_ != nullptr) std::exchange(watch_, nullptr)->Close();
}

}  // namespace limiquantix
