// spawn-loop COUNT: what it costs to run COUNT commands at once with both outputs in pipes, without Node.js. Prints
// milliseconds.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static int Pipe(posix_spawn_file_actions_t* actions, int target) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) exit(1);
  posix_spawn_file_actions_adddup2(actions, ends[1], target);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return ends[0] | ends[1] << 16;
}

int main(int argc, char** argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 100;
  struct pollfd* ends = calloc(2 * (size_t)count, sizeof *ends);
  pid_t* pids = calloc((size_t)count, sizeof *pids);
  char* arguments[] = {"/bin/true", "x", NULL};
  const double started = Now();
  for (int i = 0; i < count; ++i) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    const int out = Pipe(&actions, 1), err = Pipe(&actions, 2);
    if (posix_spawn(&pids[i], "/bin/true", &actions, NULL, arguments, environ) != 0) return 1;
    posix_spawn_file_actions_destroy(&actions);
    close(out >> 16);
    close(err >> 16);
    ends[2 * i] = (struct pollfd){out & 0xffff, POLLIN, 0};
    ends[2 * i + 1] = (struct pollfd){err & 0xffff, POLLIN, 0};
  }
  char buffer[4096];
  for (int open = 2 * count; open > 0;) {
    poll(ends, 2 * (nfds_t)count, -1);
    for (int i = 0; i < 2 * count; ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      if (read(ends[i].fd, buffer, sizeof buffer) > 0) continue;
      close(ends[i].fd);
      ends[i].fd = -1;
      --open;
    }
  }
  for (int i = 0; i < count; ++i) waitpid(pids[i], NULL, 0);
  printf("%.3f\n", Now() - started);
  return 0;
}
