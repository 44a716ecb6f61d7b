#include "process/launch_win32.h"

#include <utility>
#include <vector>

#include "base/error_win32.h"
#include "process/attributes_win32.h"
#include "process/logon_win32.h"
#include "process/pipe_pair_win32.h"

namespace limiquantix {
namespace {

/// The ends that the child gets.
struct ChildEnds {
  UniqueHandle standard[3];
  UniqueHandle terminal_input, terminal_output;
};

DWORD ConnectStreams(const SpawnRequest& request, Launched* launched, ChildEnds* ends,
                     SysError* error) {
  SECURITY_ATTRIBUTES inheritable{sizeof inheritable, nullptr, TRUE};
  for (int i = 0; i < 3; ++i) {
    const bool is_input = i == 0;
    if (!request.piped[i]) {
      ends->standard[i].Reset(CreateFileW(L"NUL", is_input ? GENERIC_READ : GENERIC_WRITE,
                                          FILE_SHARE_READ | FILE_SHARE_WRITE, &inheritable,
                                          OPEN_EXISTING, 0, nullptr));
      if (ends->standard[i]) continue;
      *error = LastError("CreateFileW");
      return error->windows;
    }
    Result<PipePair> pair =
        CreatePipePair(is_input ? PipeDirection::kToThem : PipeDirection::kToUs, true);
    if (!pair.ok()) {
      *error = pair.error();
      return error->windows;
    }
    Endpoint& endpoint = launched->streams[i];
    (is_input ? endpoint.output : endpoint.input) = std::move(pair.value().ours);
    ends->standard[i] = std::move(pair.value().theirs);
  }
  return 0;
}

DWORD ConnectTerminal(const SpawnRequest& request, Launched* launched, ChildEnds* ends,
                      SysError* error) {
  Result<PipePair> input = CreatePipePair(PipeDirection::kToThem, false);
  Result<PipePair> output = CreatePipePair(PipeDirection::kToUs, false);
  if (!input.ok() || !output.ok()) {
    *error = input.ok() ? output.error() : input.error();
    return error->windows;
  }
  launched->terminal = {std::move(output.value().ours), std::move(input.value().ours), true};
  ends->terminal_input = std::move(input.value().theirs);
  ends->terminal_output = std::move(output.value().theirs);
  Result<std::shared_ptr<PseudoConsole>> console = PseudoConsole::Create(
      request.columns, request.rows, ends->terminal_input.get(), ends->terminal_output.get());
  if (!console.ok()) {
    *error = console.error();
    return error->windows;
  }
  launched->console = std::move(console.value());
  return 0;
}

bool IsFile(const std::wstring& path) {
  const DWORD attributes = GetFileAttributesW(path.c_str());
  return attributes != INVALID_FILE_ATTRIBUTES && !(attributes & FILE_ATTRIBUTE_DIRECTORY);
}

/// Of what CreateProcessW says, the part that is about the folder it is to start in.
bool IsAboutFolder(DWORD error) { return error == ERROR_DIRECTORY; }

}  // namespace

Result<Launched> Launch(const SpawnRequest& request, std::wstring* path) {
  Launched launched;
  *path = request.files.front();
  for (const std::wstring& file : request.files) {
    if (!IsFile(file)) continue;
    launched.file = file;
    break;
  }
  if (launched.file.empty()) return WindowsError(ERROR_FILE_NOT_FOUND, "CreateProcessW");
  *path = request.working_directory;
  const DWORD folder = GetFileAttributesW(request.working_directory.c_str());
  if (folder == INVALID_FILE_ATTRIBUTES) return LastError("chdir");
  if (!(folder & FILE_ATTRIBUTE_DIRECTORY)) return WindowsError(ERROR_DIRECTORY, "chdir");
  *path = launched.file;

  UniqueHandle token;
  if (!request.account.empty()) {
    Result<UniqueHandle> found = LogOn(request.account);
    if (!found.ok()) {
      *path = request.account;
      return found.error();
    }
    token = std::move(found.value());
  }
  Result<Job> job = Job::Create(request.outlives);
  if (!job.ok()) return job.error();
  launched.job = std::move(job.value());

  ChildEnds ends;
  SysError error{0, nullptr};
  if (request.pty ? ConnectTerminal(request, &launched, &ends, &error)
                  : ConnectStreams(request, &launched, &ends, &error)) {
    return error;
  }
  STARTUPINFOEXW startup{};
  startup.StartupInfo.cb = sizeof startup;
  // With a terminal, too, and none in them: else it would get those of this process.
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES | STARTF_USESHOWWINDOW;
  startup.StartupInfo.wShowWindow = SW_HIDE;
  Attributes attributes;
  attributes.AddJob(launched.job.handle());  // where that is not known, it is put there below
  if (request.pty) {
    if (!attributes.AddConsole(launched.console->handle())) {
      return LastError("UpdateProcThreadAttribute");
    }
  } else {
    startup.StartupInfo.hStdInput = ends.standard[0].get();
    startup.StartupInfo.hStdOutput = ends.standard[1].get();
    startup.StartupInfo.hStdError = ends.standard[2].get();
    if (!attributes.AddHandles(
            {ends.standard[0].get(), ends.standard[1].get(), ends.standard[2].get()})) {
      return LastError("UpdateProcThreadAttribute");
    }
  }
  startup.lpAttributeList = attributes.list();
  // Another user may not use this process's desktop: an empty name has one made.
  wchar_t no_desktop[] = L"";
  if (token) startup.StartupInfo.lpDesktop = no_desktop;

  const DWORD flags = CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT |
                      (request.pty ? 0 : CREATE_NO_WINDOW);
  std::wstring line = request.command_line;  // CreateProcessW writes into it
  std::wstring environment = request.environment;
  const wchar_t* const working_directory = request.working_directory.c_str();
  PROCESS_INFORMATION information{};
  const BOOL inherit = !request.pty;
  const BOOL created =
      token ? CreateProcessAsUserW(token.get(), launched.file.c_str(), line.data(), nullptr,
                                   nullptr, inherit, flags, environment.data(), working_directory,
                                   &startup.StartupInfo, &information)
            : CreateProcessW(launched.file.c_str(), line.data(), nullptr, nullptr, inherit, flags,
                             environment.data(), working_directory, &startup.StartupInfo,
                             &information);
  if (!created) {
    const DWORD code = GetLastError();
    if (IsAboutFolder(code)) *path = request.working_directory;
    const char* const call = token ? "CreateProcessAsUserW" : "CreateProcessW";
    return WindowsError(code, IsAboutFolder(code) ? "chdir" : call);
  }
  launched.process.Reset(information.hProcess);
  launched.pid = information.dwProcessId;
  const UniqueHandle thread(information.hThread);
  BOOL inside = FALSE;
  if (!IsProcessInJob(information.hProcess, launched.job.handle(), &inside)) inside = FALSE;
  if (!inside && !AssignProcessToJobObject(launched.job.handle(), information.hProcess)) {
    const SysError failed = LastError("AssignProcessToJobObject");
    TerminateProcess(information.hProcess, 1);
    return failed;
  }
  if (ResumeThread(information.hThread) == static_cast<DWORD>(-1)) {
    const SysError failed = LastError("ResumeThread");
    launched.job.Kill(1);
    return failed;
  }
  return launched;
}

}  // namespace limiquantix
