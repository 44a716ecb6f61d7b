#include "sampler/sampler_core.h"

#include <algorithm>
#include <utility>

namespace limiquantix {
namespace {

constexpr uint64_t kNsPerMs = 1000 * 1000;
constexpr double kNsPerSecond = 1e9;

bool IsEmpty(const Sample& sample) {
  return !sample.cpu && !sample.memory && !sample.load && !sample.uptime_seconds &&
         !sample.process_count && !sample.interfaces && sample.filesystems.empty();
}

}  // namespace

SamplerCore::SamplerCore(std::vector<std::string> include_filesystems)
    : counters_(new Counters),
      mounts_(new Filesystems(std::move(include_filesystems))),
      links_(new Links) {}

Result<std::shared_ptr<SamplerCore>> SamplerCore::Create(
    napi_env env, std::vector<std::string> include_filesystems) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return SysError{-UV_EINVAL, "uv_loop"};
  std::shared_ptr<SamplerCore> core(new SamplerCore(std::move(include_filesystems)));
  const auto on_wake = [](uv_async_t* handle) {
    static_cast<SamplerCore*>(handle->data)->Proceed();
  };
  if (int error = uv_async_init(loop, &core->wake_, on_wake); error != 0) {
    return SysError{-error, "uv_async_init"};
  }
  uv_timer_init(loop, &core->timer_);  // cannot fail
  core->wake_.data = core->timer_.data = core.get();
  uv_unref(reinterpret_cast<uv_handle_t*>(&core->wake_));  // the timer is what a sample waits with
  core->open_handles_ = 2;
  core->self_ = core;
  core->board_ = ProbeBoard::Create(&core->wake_);
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, core.get(), &core->cleanup_);
  return core;
}

void SamplerCore::Start(uint32_t deadline_ms, void* owner, OnSample on_sample) {
  on_sample_ = on_sample;
  owner_ = owner;
  started_at_ = uv_hrtime();
  deadline_at_ = started_at_ + deadline_ms * kNsPerMs;
  // So that each thread that may be replaced has its turn to be, and one turn is left.
  patience_ = (deadline_at_ - started_at_) / (ProbeBoard::kMaxStuck + 1);
  failure_ = mounts_->Refresh();

  board_->AbandonStuck(started_at_ - patience_);  // of an earlier sample
  asked_.assign(1, links_->probe());
  for (const std::shared_ptr<FilesystemProbe>& probe : mounts_->probes()) {
    // The root first: it must not wait for a mount that hangs.
    asked_.insert(probe->trust == Trust::kEssential ? asked_.begin() : asked_.end(), probe);
  }
  links_->Begin();
  Submit();
}

void SamplerCore::Submit() {
  if (int error = board_->Submit(&asked_); error != 0) {
    failure_ = SourceError{SysError{error, "uv_thread_create"}, ""};
  }
  ArmTimer();
}

void SamplerCore::ArmTimer() {
  uint64_t at = deadline_at_;
  const uint64_t now = uv_hrtime();
  if (asked_.empty()) {
    at = now;
  } else if (const uint64_t since = board_->AbandonStuck(now - patience_); since != 0) {
    at = std::min(at, since + patience_);
  } else {
    at = std::min(at, now + patience_);
  }
  uv_update_time(timer_.loop);  // libuv counts from when this turn of the loop began
  const auto on_timer = [](uv_timer_t* handle) {
    static_cast<SamplerCore*>(handle->data)->Proceed();
  };
  const uint64_t wait_ms = at > now ? (at - now + kNsPerMs - 1) / kNsPerMs : 0;
  uv_timer_start(&timer_, on_timer, wait_ms, 0);
}

/// A probe thread or the timer says that something may have happened.
void SamplerCore::Proceed() {
  if (!running()) return;  // a mount has come back: the next sample asks it again
  if (uv_hrtime() >= deadline_at_) {
    Finish();
  } else if (!board_->AreIdle(asked_)) {
    ArmTimer();
  } else if (asked_ = mounts_->Further(*board_); !asked_.empty()) {
    Submit();
  } else {
    Finish();
  }
}

void SamplerCore::Finish() {
  const std::shared_ptr<SamplerCore> alive = shared_from_this();
  uv_timer_stop(&timer_);
  Sample sample;
  AddInterfaces(&sample, &failure_);
  AddFilesystems(&sample);
  board_->Withdraw();
  asked_.clear();
  const std::optional<SourceError> failure = counters_->Read(&sample);
  if (!failure_) failure_ = failure;
  const OnSample on_sample = std::exchange(on_sample_, nullptr);
  const bool useless = IsEmpty(sample) && failure_;
  on_sample(owner_, sample, useless ? failure_ : std::nullopt);  // may close the sampler
}

void SamplerCore::AddInterfaces(Sample* sample, std::optional<SourceError>* failure) {
  if (!board_->HasAnswered(*links_->probe())) return;
  sample->interfaces = links_->Take();
  if (!sample->interfaces && !*failure) *failure = SourceError{links_->error(), ""};
}

void SamplerCore::AddFilesystems(Sample* sample) {
  const uint64_t now = uv_hrtime();
  for (const std::shared_ptr<FilesystemProbe>& probe : mounts_->probes()) {
    const auto& mount = probe->mount();
    const char* error_code = nullptr;
    if (board_->HasAnswered(*probe)) {
      const FilesystemProbe::Answer& answer = probe->answer();
      if (answer.error == 0) {
        if (probe->trust == Trust::kUnproven) probe->trust = Trust::kProven;
        probe->failing_since = 0;
        // Nothing can be kept where there are no blocks.
        if (answer.total_bytes == 0 && mount.mount_point != "/") continue;
        sample->filesystems.push_back({mount.mount_point, mount.type, mount.source,
                                       answer.total_bytes, answer.used_bytes,
                                       answer.available_bytes});
        continue;
      }
      if (answer.error == -UV_ENOENT) continue;  // unmounted meanwhile
      error_code = uv_err_name(-answer.error);
    }
    if (probe->trust == Trust::kProven) probe->trust = Trust::kUnproven;
    if (probe->failing_since == 0) {
      const uint64_t since = board_->RunningSince(*probe);
      probe->failing_since = since != 0 ? since : started_at_;
    }
    const double seconds = static_cast<double>(now - probe->failing_since) / kNsPerSecond;
    sample->unreachable_mounts.push_back(
        {mount.mount_point, mount.type, mount.source, seconds, error_code});
  }
}

int SamplerCore::Watch(void* owner, OnChange on_change) {
  const auto changed = [](void* data) {
    SamplerCore* const core = static_cast<SamplerCore*>(data);
    core->on_change_(core->change_owner_);
  };
  if (int error = links_->Watch(timer_.loop, this, changed, OnHandleClosed); error != 0) {
    return error;
  }
  on_change_ = on_change;
  change_owner_ = owner;
  ++open_handles_;
  return 0;
}

void SamplerCore::Unwatch() {
  if (links_ != nullptr) links_->Unwatch();
}

void SamplerCore::Close() {
  if (closed_) return;
  closed_ = true;
  on_sample_ = nullptr;
  board_->Detach();
  asked_.clear();
  Unwatch();
  counters_.reset();
  mounts_.reset();
  links_.reset();
  const auto on_closed = [](uv_handle_t* handle) { OnHandleClosed(handle->data); };
  uv_close(reinterpret_cast<uv_handle_t*>(&wake_), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), on_closed);
}

void SamplerCore::OnHandleClosed(void* data) {
  SamplerCore* const core = static_cast<SamplerCore*>(data);
  if (--core->open_handles_ > 0) return;
  // The environment waits for this before it goes on tearing itself down.
  if (core->cleanup_ != nullptr) napi_remove_async_cleanup_hook(core->cleanup_);
  const std::shared_ptr<SamplerCore> last = std::move(core->self_);
}

void SamplerCore::OnEnvironmentEnd(napi_async_cleanup_hook_handle /*hook*/, void* data) {
  static_cast<SamplerCore*>(data)->Close();
}

}  // namespace limiquantix
