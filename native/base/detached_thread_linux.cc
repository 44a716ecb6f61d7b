#include <signal.h>
#include <sys/prctl.h>
#include <uv.h>

#include <memory>
#include <utility>

#include "base/detached_thread.h"

namespace limiquantix {
namespace {

struct Start {
  const char* name;
  std::function<void()> body;
};

void ThreadMain(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  prctl(PR_SET_NAME, start->name);
  start->body();
}

/// libuv can detach threads only since 1.50 (Node 24), and pthread_detach linked directly would
/// need glibc 2.34; so it is looked up by name. Without it an ended thread's stack is kept.
void DetachThread(uv_thread_t thread) {
  uv_lib_t process;
  if (uv_dlopen(nullptr, &process) == 0) {
    void* address = nullptr;
    if (uv_dlsym(&process, "pthread_detach", &address) == 0) {
      reinterpret_cast<int (*)(uv_thread_t)>(address)(thread);
    }
  }
  uv_dlclose(&process);
}

}  // namespace

int StartDetachedThread(const char* name, size_t stack_bytes, std::function<void()> body) {
  std::unique_ptr<Start> start(new Start{name, std::move(body)});
  uv_thread_options_t options{};
  options.flags = UV_THREAD_HAS_STACK_SIZE;
  options.stack_size = stack_bytes;
  uv_thread_t id;
  if (int error = uv_thread_create_ex(&id, &options, ThreadMain, start.get()); error != 0) {
    return -error;
  }
  start.release();
  DetachThread(id);
  return 0;
}

}  // namespace limiquantix
