#pragma once

#include <windows.h>

#include <initializer_list>
#include <vector>

namespace limiquantix {

/// What CreateProcessW takes beyond STARTUPINFOW. All handles must outlive it.
class Attributes {
 public:
  Attributes() {
    SIZE_T bytes = 0;
    InitializeProcThreadAttributeList(nullptr, kMost, 0, &bytes);
    memory_.resize(bytes);
    auto* const list = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
    if (InitializeProcThreadAttributeList(list, kMost, 0, &bytes)) list_ = list;
  }
  ~Attributes() {
    if (list_ != nullptr) DeleteProcThreadAttributeList(list_);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  LPPROC_THREAD_ATTRIBUTE_LIST list() const { return list_; }

  // They return false when it failed: see GetLastError().

  /// It is born in this job.
  bool AddJob(HANDLE job) {
    job_ = job;
    return Add(kJobList, &job_, sizeof job_);
  }
  /// It inherits these handles, and no others.
  bool AddHandles(std::initializer_list<HANDLE> handles) {
    handles_ = handles;
    return Add(PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles_.data(),
               handles_.size() * sizeof(HANDLE));
  }
  bool AddConsole(HPCON console) {
    return Add(PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, console, sizeof console);
  }

 private:
  static constexpr DWORD kMost = 2;
  // PROC_THREAD_ATTRIBUTE_JOB_LIST, which mingw-w64 does not have.
  static constexpr DWORD_PTR kJobList = 13 | 0x00020000;

  bool Add(DWORD_PTR attribute, void* value, SIZE_T bytes) {
    return list_ != nullptr &&
           UpdateProcThreadAttribute(list_, 0, attribute, value, bytes, nullptr, nullptr);
  }

  std::vector<char> memory_;
  LPPROC_THREAD_ATTRIBUTE_LIST list_ = nullptr;
  std::vector<HANDLE> handles_;
  HANDLE job_ = nullptr;
};

}  // namespace limiquantix
