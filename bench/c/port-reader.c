// port-reader DEVICE [FILE]: the fastest that a program can read from a virtio port: 32 KiB at a time, thrown away, or
// written to the first 64 MiB of a file again and again, until killed.
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  static char buffer[32 * 1024];
  if (argc < 2) return 2;
  const int fd = open(argv[1], O_RDONLY);
  const int file = argc > 2 ? open(argv[2], O_WRONLY | O_CREAT, 0600) : -1;
  if (fd < 0 || (argc > 2 && file < 0)) return 1;
  for (off_t at = 0;;) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count == 0) usleep(1000);  // no host yet
    if (count < 0 && errno != EINTR) return 1;
    if (count <= 0 || file < 0) continue;
    if (pwrite(file, buffer, (size_t)count, at) != count) return 1;
    at = (at + count) % (64 << 20);
  }
}
