#pragma once

#include <cstddef>
#include <functional>

namespace limiquantix {

/// Runs `body` once on a thread that nobody waits for: neither the end of the process nor that of a
/// worker's environment may depend on a call that never comes back. So the library must stay loaded
/// (-z nodelete; on Windows it is pinned), and `body` must own what it uses. All signals are
/// blocked on the thread: they are for Node's own, and must not interrupt the calls made here.
/// `name` has at most 15 characters. Returns 0 or an errno; then `body` has not been run.
int StartDetachedThread(const char* name, size_t stack_bytes, std::function<void()> body);

}  // namespace limiquantix
