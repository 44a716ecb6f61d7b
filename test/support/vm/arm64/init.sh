#!/bin/sh
# The guest's first process where busybox's init would be: what the kernel has, then the tests' shell.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
hostname guest
while read -r module; do insmod "/modules/$module"; done </modules/list
exec init
