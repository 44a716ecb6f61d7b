#pragma once

#include <string>
#include <string_view>

namespace limiquantix {

/// UTF-8 as Windows takes it. What is no UTF-8 becomes U+FFFD.
std::wstring Wide(std::string_view utf8);

/// And back. A lone surrogate becomes U+FFFD.
std::string Utf8(std::wstring_view wide);

}  // namespace limiquantix
