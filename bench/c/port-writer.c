// port-writer DEVICE BYTES [copy]: the fastest that a program can send through a virtio port: blocking writes of 32 KiB,
// the most that the driver takes at once. With `copy` it sends what it reads from standard input, a file again and again.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  static char buffer[32 * 1024];
  if (argc < 3) return 2;
  memset(buffer, 'y', sizeof buffer);
  const int fd = open(argv[1], O_RDWR);
  if (fd < 0) return 1;
  for (long long left = atoll(argv[2]); left > 0;) {
    size_t filled = sizeof buffer;
    if (argc > 3) {
      const ssize_t count = read(0, buffer, sizeof buffer);
      if (count == 0 && lseek(0, 0, SEEK_SET) == 0) continue;
      if (count <= 0) return 1;
      filled = (size_t)count;
    }
    const ssize_t count = write(fd, buffer, filled);
    if (count < 0) return 1;
    left -= count;
  }
  pause();
  return 0;
}
