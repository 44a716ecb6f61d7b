#include "process/job_win32.h"

#include "base/error_win32.h"

namespace limiquantix {
namespace {

bool SetKillOnClose(HANDLE job, bool kill) {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  limits.BasicLimitInformation.LimitFlags = kill ? JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE : 0;
  return SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
}

}  // namespace

Result<Job> Job::Create(bool outlives) {
  Job job;
  job.handle_.Reset(CreateJobObjectW(nullptr, nullptr));
  if (!job.handle_) return LastError("CreateJobObjectW");
  if (!outlives && !SetKillOnClose(job.handle(), true)) return LastError("SetInformationJobObject");
  return job;
}

DWORD Job::Kill(UINT exit_code) const {
  return TerminateJobObject(handle(), exit_code) ? 0 : GetLastError();
}

DWORD Job::Members() const {
  JOBOBJECT_BASIC_ACCOUNTING_INFORMATION accounting{};
  if (!handle_ || !QueryInformationJobObject(handle(), JobObjectBasicAccountingInformation,
                                             &accounting, sizeof accounting, nullptr)) {
    return 0;
  }
  return accounting.ActiveProcesses;
}

void Job::Close() {
  if (handle_) SetKillOnClose(handle(), false);
  handle_.Reset();
}

}  // namespace limiquantix
