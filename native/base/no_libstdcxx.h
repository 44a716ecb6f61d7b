#pragma once

// Included before all else in the shipped binary: templates that libstdc++ has ready are made here
// instead.
#include <bits/c++config.h>
#undef _GLIBCXX_EXTERN_TEMPLATE
#define _GLIBCXX_EXTERN_TEMPLATE 0
