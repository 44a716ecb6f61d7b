// A program for tests on Windows: what it is told, and what the system says of processes.
#include <windows.h>
//
#include <tlhelp32.h>
#include <winternl.h>

#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <string>
#include <vector>

namespace {

/// Each argument as the hexadecimal numbers of its UTF-16.
int PrintArguments(int count, wchar_t** arguments) {
  for (int i = 0; i < count; ++i) {
    for (const wchar_t* at = arguments[i]; *at != L'\0'; ++at) std::printf("%04x", *at);
    std::printf("\n");
  }
  return 0;
}

struct ProcessInformation {
  ULONG next;
  ULONG threads;
  BYTE before_name[48];
  UNICODE_STRING name;
  LONG priority;
  HANDLE pid, parent;
  ULONG handles;
};

/// GetProcessHandleCount is a stub in Wine; this is what it is made of.
int PrintHandles(DWORD pid) {
  std::vector<BYTE> buffer(4 * 1024 * 1024);
  ULONG bytes = 0;
  if (NtQuerySystemInformation(SystemProcessInformation, buffer.data(),
                               static_cast<ULONG>(buffer.size()), &bytes) != 0) {
    return 2;
  }
  for (size_t at = 0;;) {
    const auto* const process = reinterpret_cast<const ProcessInformation*>(&buffer[at]);
    if (reinterpret_cast<ULONG_PTR>(process->pid) == pid) {
      std::printf("%lu %lu\n", process->handles, process->threads);
      return 0;
    }
    if (process->next == 0) return 3;
    at += process->next;
  }
}

int PrintProcesses() {
  const HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  PROCESSENTRY32W entry{};
  entry.dwSize = sizeof entry;
  for (BOOL more = Process32FirstW(snapshot, &entry); more;
       more = Process32NextW(snapshot, &entry)) {
    std::printf("%lu %ls\n", entry.th32ProcessID, entry.szExeFile);
  }
  CloseHandle(snapshot);
  return 0;
}

BOOL WINAPI OnEvent(DWORD event) {
  std::printf("event %lu\n", event);
  std::fflush(stdout);
  ExitProcess(40 + event);
}

/// Waits to be told to end.
int AwaitEvent() {
  SetConsoleCtrlHandler(OnEvent, TRUE);
  std::printf("waiting\n");
  std::fflush(stdout);
  Sleep(60'000);
  return 1;
}

/// Starts itself, to sleep, as often as told, each by the one before.
int SleepInChain(int depth) {
  if (depth > 0) {
    wchar_t self[MAX_PATH], line[MAX_PATH + 32];
    GetModuleFileNameW(nullptr, self, MAX_PATH);
    std::swprintf(line, MAX_PATH + 32, L"\"%ls\" chain %d", self, depth - 1);
    STARTUPINFOW startup{};
    startup.cb = sizeof startup;
    PROCESS_INFORMATION child{};
    if (!CreateProcessW(nullptr, line, nullptr, nullptr, TRUE, 0, nullptr, nullptr, &startup,
                        &child))
      return 2;
  }
  std::printf("%lu\n", GetCurrentProcessId());
  std::fflush(stdout);
  Sleep(60'000);
  return 1;
}

}  // namespace

int wmain(int count, wchar_t** arguments) {
  if (count < 2) return 64;
  const std::wstring what = arguments[1];
  if (what == L"arguments") return PrintArguments(count - 2, arguments + 2);
  if (what == L"handles") return PrintHandles(wcstoul(arguments[2], nullptr, 10));
  if (what == L"processes") return PrintProcesses();
  if (what == L"event") return AwaitEvent();
  if (what == L"chain") return SleepInChain(_wtoi(arguments[2]));
  return 64;
}
