#include "sampler/cpu_times_win32.h"

#include <windows.h>
//
#include <winternl.h>

#include <algorithm>
#include <cstddef>

#include "base/error_win32.h"

namespace limiquantix {
namespace {

using CoreInformation = SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION;
constexpr size_t kMostCores = 64;  // in a processor group

using QueryInformation = NTSTATUS(NTAPI*)(SYSTEM_INFORMATION_CLASS, void*, ULONG, ULONG*);
using QueryInformationEx = NTSTATUS(NTAPI*)(SYSTEM_INFORMATION_CLASS, void*, ULONG, void*, ULONG,
                                            ULONG*);

template <typename Function>
Function NtFunction(const char* name) {
  const HMODULE library = GetModuleHandleW(L"ntdll.dll");
  if (library == nullptr) return nullptr;
  return reinterpret_cast<Function>(reinterpret_cast<void*>(GetProcAddress(library, name)));
}

uint64_t Join(const FILETIME& time) {
  return static_cast<uint64_t>(time.dwHighDateTime) << 32 | time.dwLowDateTime;
}

uint64_t Since(uint64_t before, uint64_t after) { return after > before ? after - before : 0; }

/// How many of `information` have been filled; 0 on failure.
size_t QueryGroup(USHORT group, bool only_one, CoreInformation* information) {
  static const auto query = NtFunction<QueryInformation>("NtQuerySystemInformation");
  static const auto query_ex = NtFunction<QueryInformationEx>("NtQuerySystemInformationEx");
  constexpr ULONG kBytes = kMostCores * sizeof(CoreInformation);
  ULONG filled = 0;
  NTSTATUS status = -1;
  // The plain one tells of the group only that the thread is in.
  if (only_one && query != nullptr) {
    status = query(SystemProcessorPerformanceInformation, information, kBytes, &filled);
  } else if (!only_one && query_ex != nullptr) {
    status = query_ex(SystemProcessorPerformanceInformation, &group, sizeof group, information,
                      kBytes, &filled);
  }
  return status < 0 ? 0 : std::min<size_t>(filled / sizeof(CoreInformation), kMostCores);
}

}  // namespace

Result<bool> ReadCpuTimes(AllCpuTimes* out) {
  out->cores.clear();
  out->all = CpuTimes{};
  const WORD groups = GetActiveProcessorGroupCount();
  for (WORD group = 0; group < std::max<WORD>(groups, 1); ++group) {
    CoreInformation information[kMostCores];
    const size_t count = QueryGroup(group, groups <= 1, information);
    for (size_t i = 0; i < count; ++i) {
      const auto idle = static_cast<uint64_t>(information[i].IdleTime.QuadPart);
      // A kernel counts idling as its own time.
      const auto total = static_cast<uint64_t>(information[i].KernelTime.QuadPart) +
                         static_cast<uint64_t>(information[i].UserTime.QuadPart);
      out->cores.push_back({Since(idle, total), idle});
      out->all.busy += out->cores.back().busy;
      out->all.idle += idle;
    }
  }
  if (!out->cores.empty()) return true;
  FILETIME idle, kernel, user;
  if (GetSystemTimes(&idle, &kernel, &user) == 0) return LastError("GetSystemTimes");
  out->all = {Since(Join(idle), Join(kernel) + Join(user)), Join(idle)};
  return true;
}

double BusyPercent(const CpuTimes& before, const CpuTimes& after) {
  const auto busy = static_cast<double>(Since(before.busy, after.busy));
  const auto idle = static_cast<double>(Since(before.idle, after.idle));
  return busy + idle > 0 ? busy / (busy + idle) * 100 : 0.0;
}

}  // namespace limiquantix
