#!/bin/sh
# Run by mmdebstrap with the guest's root folder: its init is OpenRC's own, and the tests' shell is a service.
set -eu
root=$1
ln -s openrc-init "$root/sbin/init"
echo guest >"$root/etc/hostname"
echo '/dev/vda / ext4 defaults 0 0' >"$root/etc/fstab"
install -D -m 755 "$HERE/../console.sh" "$root/usr/local/sbin/test-console"
install -m 755 "$HERE/test-console" "$root/etc/init.d/test-console"
ln -s /etc/init.d/test-console "$root/etc/runlevels/default/test-console"
mkdir "$root/archive"
