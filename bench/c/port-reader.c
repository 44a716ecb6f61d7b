// port-reader DEVICE: the fastest that a program can read from a virtio port: 32 KiB at a time, thrown away, until killed.
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  static char buffer[32 * 1024];
  if (argc < 2) return 2;
  const int fd = open(argv[1], O_RDONLY);
  if (fd < 0) return 1;
  for (;;) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count == 0) usleep(1000);  // no host yet
    if (count < 0 && errno != EINTR) return 1;
  }
}
