#!/bin/busybox sh
# The guest's first process: mounts, modules, the names of virtio ports, and a shell on the first serial line.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /run /tmp /node /scratch
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
chmod 1777 /tmp
mkdir -p /sys/fs/cgroup /home/alice /home/many
mount -t cgroup2 cgroup2 /sys/fs/cgroup
chown 1000:1000 /home/alice
chown 1001:1001 /home/many
hostname guest
ip link set lo up
while read -r module; do insmod "/modules/$module"; done </modules/list

# What udev does elsewhere, now and at each hotplug.
port-names
uevent /bin/port-names >/dev/null 2>&1 &

until [ -b /dev/vda ]; do sleep 0.05; done
mount -t ext4 -o ro /dev/vda /node

# What busybox's poweroff, reboot and halt ask its init for. A trap waits for a command, but not for one in the background.
trap 'poweroff -f' USR2
trap 'reboot -f' TERM
trap 'halt -f' USR1

exec 0</dev/ttyS0 1>/dev/ttyS0 2>&1
while :; do
  sh /bin/console </dev/ttyS0 &
  wait $!
done
