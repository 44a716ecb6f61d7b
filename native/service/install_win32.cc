#include "service/install_win32.h"

#include <windows.h>

#include "base/error_win32.h"
#include "service/service_handle_win32.h"

namespace limiquantix {
namespace {

constexpr DWORD kAccess = SERVICE_CHANGE_CONFIG | SERVICE_START | DELETE;  // restarting needs START
constexpr wchar_t kAccount[] = L"LocalSystem";

Result<ServiceHandle> CreateOrChange(const ServiceSettings& settings, bool* created) {
  Result<ServiceHandle> manager = OpenManager(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
  if (!manager.ok()) return manager.error();
  ServiceHandle service(
      CreateServiceW(manager.value().get(), settings.name.c_str(), settings.display_name.c_str(),
                     kAccess, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL,
                     settings.command_line.c_str(), nullptr, nullptr, nullptr, kAccount, nullptr));
  *created = static_cast<bool>(service);
  if (service) return service;
  if (GetLastError() != ERROR_SERVICE_EXISTS) return LastError("CreateService");
  service = ServiceHandle(OpenServiceW(manager.value().get(), settings.name.c_str(), kAccess));
  if (!service) return LastError("OpenService");
  if (ChangeServiceConfigW(service.get(), SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
                           SERVICE_ERROR_NORMAL, settings.command_line.c_str(), nullptr, nullptr,
                           nullptr, kAccount, nullptr, settings.display_name.c_str()) == 0) {
    return LastError("ChangeServiceConfig");
  }
  return service;
}

/// Applies what goes beyond the basic settings.
class Details {
 public:
  Details(SC_HANDLE service, Installed* installed) : service_(service), installed_(installed) {}

  /// False when it failed; a level that the system does not know is only noted.
  bool Set(DWORD level, const char* what, void* value) {
    if (ChangeServiceConfig2W(service_, level, value) != 0) return true;
    const DWORD code = GetLastError();
    if (code == ERROR_INVALID_LEVEL || code == ERROR_CALL_NOT_IMPLEMENTED) {
      installed_->lacks.push_back(what);
      return true;
    }
    error_ = WindowsError(code, "ChangeServiceConfig2");
    return false;
  }

  const SysError& error() const { return error_; }

 private:
  const SC_HANDLE service_;
  Installed* const installed_;
  SysError error_{0, ""};
};

bool SetDetails(const ServiceSettings& settings, Details* details) {
  // Windows takes no pointer to const, and writes nothing.
  SERVICE_DESCRIPTIONW description{const_cast<wchar_t*>(settings.description.c_str())};
  std::vector<SC_ACTION> actions;
  for (const uint32_t delay : settings.restart_delays_ms) {
    actions.push_back({SC_ACTION_RESTART, delay});
  }
  SERVICE_FAILURE_ACTIONSW failures{};
  failures.dwResetPeriod = settings.failures_reset_seconds;
  failures.cActions = static_cast<DWORD>(actions.size());
  failures.lpsaActions = actions.data();
  // A service that says itself that it has failed is restarted too, not only one that crashed.
  SERVICE_FAILURE_ACTIONS_FLAG any_failure{TRUE};
  SERVICE_DELAYED_AUTO_START_INFO delayed{FALSE};
  SERVICE_PRESHUTDOWN_INFO preshutdown{settings.preshutdown_ms};
  return details->Set(SERVICE_CONFIG_DESCRIPTION, "description", &description) &&
         details->Set(SERVICE_CONFIG_FAILURE_ACTIONS, "restart on failure", &failures) &&
         details->Set(SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, "restart on an error", &any_failure) &&
         details->Set(SERVICE_CONFIG_DELAYED_AUTO_START_INFO, "start without delay", &delayed) &&
         details->Set(SERVICE_CONFIG_PRESHUTDOWN_INFO, "time before shutdown", &preshutdown);
}

}  // namespace

Result<Installed> InstallService(const ServiceSettings& settings) {
  Installed installed;
  Result<ServiceHandle> service = CreateOrChange(settings, &installed.created);
  if (!service.ok()) return service.error();
  Details details(service.value().get(), &installed);
  if (SetDetails(settings, &details)) return installed;
  if (installed.created) DeleteService(service.value().get());
  return details.error();
}

}  // namespace limiquantix
