#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace limiquantix {

struct Account {
  std::wstring name;
  std::wstring domain;  ///< the machine's own name for a local account
  std::vector<char> sid;
  bool local = false;
  bool is_user = false;  ///< and no group
};

/// Asks Windows for "name" or "DOMAIN\name". Blocks on the domain's servers. ERROR_NONE_MAPPED when
/// there is none.
Result<Account> FindAccount(const std::wstring& name);

}  // namespace limiquantix
