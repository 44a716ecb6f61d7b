#!/bin/busybox sh
# The initramfs of the systemd guest: the modules for disks, then the system on the first disk.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do insmod "/modules/$module"; done </modules/list
until [ -b /dev/vda ]; do sleep 0.05; done
mount -t ext4 /dev/vda /system
for folder in dev proc sys; do mount --move "/$folder" "/system/$folder"; done
exec switch_root /system /sbin/init
