#!/bin/busybox sh
# Makes /dev/virtio-ports/NAME for each port there is, and removes those of ports that are gone.
mkdir -p /dev/virtio-ports
for link in /dev/virtio-ports/*; do
  [ -L "$link" ] && [ ! -e "$link" ] && rm "$link"
done
for port in /sys/class/virtio-ports/*; do
  [ -s "$port/name" ] || continue
  name=$(cat "$port/name")
  [ -e "/dev/virtio-ports/$name" ] || ln -sfn "../${port##*/}" "/dev/virtio-ports/$name"
done
exit 0
