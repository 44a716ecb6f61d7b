#include <fcntl.h>
#include <linux/rtc.h>
#include <sys/ioctl.h>
#include <time.h>

#include <cerrno>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "files/job_linux.h"
#include "system/system.h"

namespace limiquantix {
namespace {

constexpr int kComparisons = 5;

/// The clock of an open device, as clock_gettime(2) takes it: see "Dynamic clocks" in its manual.
clockid_t ClockOf(int fd) { return static_cast<clockid_t>((~static_cast<unsigned>(fd) << 3) | 3); }

double MicrosOf(const timespec& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1000;
}

/// Reads the system's clock, a PTP clock and the system's again, a few times: the reading that took
/// least is the best one.
class PtpJob : public Job {
 public:
  PtpJob(Napi::Env env, std::string path) : Job(env, "limiquantix.Ptp"), path_(std::move(path)) {}

 private:
  SysError Run(std::string* failed_path) override {
    *failed_path = path_;
    const UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return SysError{errno, "open"};
    for (int i = 0; i < kComparisons; i++) {
      timespec before{}, device{}, after{};
      ::clock_gettime(CLOCK_REALTIME, &before);
      if (::clock_gettime(ClockOf(fd.get()), &device) != 0) return SysError{errno, "clock_gettime"};
      ::clock_gettime(CLOCK_REALTIME, &after);
      const double width = MicrosOf(after) - MicrosOf(before);
      if (i > 0 && (width < 0 || width >= width_)) continue;  // below 0: the clock was stepped
      width_ = width;
      offset_ = MicrosOf(device) - (MicrosOf(before) + width / 2);
    }
    return kNoError;
  }
  Napi::Value Value(Napi::Env env) override {
    Napi::Object value = Napi::Object::New(env);
    value.Set("offsetUs", offset_);
    value.Set("uncertaintyUs", std::fabs(width_) / 2);
    return value;
  }

  const std::string path_;
  double width_ = 0, offset_ = 0;
};

class SetRtcJob : public Job {
 public:
  SetRtcJob(Napi::Env env, std::string path, time_t seconds)
      : Job(env, "limiquantix.SetRtc"), path_(std::move(path)), seconds_(seconds) {}

 private:
  SysError Run(std::string* failed_path) override {
    *failed_path = path_;
    const UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return SysError{errno, "open"};
    tm fields{};
    ::gmtime_r(&seconds_, &fields);
    rtc_time time{};
    time.tm_sec = fields.tm_sec;
    time.tm_min = fields.tm_min;
    time.tm_hour = fields.tm_hour;
    time.tm_mday = fields.tm_mday;
    time.tm_mon = fields.tm_mon;
    time.tm_year = fields.tm_year;
    if (::ioctl(fd.get(), RTC_SET_TIME, &time) != 0) return SysError{errno, "ioctl(RTC_SET_TIME)"};
    return kNoError;
  }
  Napi::Value Value(Napi::Env env) override { return env.Undefined(); }

  const std::string path_;
  const time_t seconds_;
};

Napi::Value ComparePtpClock(const Napi::CallbackInfo& info) {
  std::string path;
  if (!ReadPath(info, 0, &path)) return info.Env().Undefined();
  return Job::Start(std::make_unique<PtpJob>(info.Env(), std::move(path)));
}

Napi::Value SetRtc(const Napi::CallbackInfo& info) {
  std::string path;
  if (!ReadPath(info, 0, &path)) return info.Env().Undefined();
  const double seconds = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : -1;
  if (!(seconds >= 0 && seconds <= 1e10)) {
    Napi::TypeError::New(info.Env(), "seconds since 1970 are needed").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  const auto whole = static_cast<time_t>(seconds);
  return Job::Start(std::make_unique<SetRtcJob>(info.Env(), std::move(path), whole));
}

}  // namespace

void RegisterClockDevices(Napi::Env env, Napi::Object exports) {
  exports.Set("comparePtpClock", Napi::Function::New<ComparePtpClock>(env, "comparePtpClock"));
  exports.Set("setRtc", Napi::Function::New<SetRtc>(env, "setRtc"));
}

}  // namespace limiquantix
