#include "sampler/links_win32.h"

#include <utility>

namespace limiquantix {

std::optional<std::vector<Interface>> LinkProbe::TakeInterfaces() {
  return std::exchange(interfaces_, std::nullopt);
}

void LinkProbe::Run() {
  interfaces_.reset();
  error_.code = 0;
  std::optional<std::vector<LinkEntry>> adapters = known_->Get();
  if (!adapters) {
    Result<std::vector<LinkEntry>> read = ReadLinkEntries();
    if (!read.ok()) {
      error_ = read.error();
      return;
    }
    adapters = std::move(read.value());
  }
  interfaces_ = WithCounters(std::move(*adapters));
}

int Links::Watch(uv_loop_t* loop, void* owner, LinkWatch::OnChange on_change,
                 LinkWatch::OnClosed on_closed) {
  Result<LinkWatch*> watch = LinkWatch::Start(loop, known_, owner, on_change, on_closed);
  if (!watch.ok()) return watch.error().code;
  watch_ = watch.value();
  return 0;
}

void Links::Unwatch() {
  if (watch_ != nullptr) std::exchange(watch_, nullptr)->Close();
}

}  // namespace limiquantix
