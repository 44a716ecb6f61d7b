#!/bin/sh
# Run by mmdebstrap with the guest's root folder: a cloud image of nobody yet, with the tests' shell.
set -eu
root=$1
mkdir -p "$root/lib/modules"
cp -r "$KERNEL_MODULES" "$root/lib/modules/"
chroot "$root" depmod "$(basename "$KERNEL_MODULES")"

install -D -m 755 "$HERE/../console.sh" "$root/usr/local/sbin/test-console"
install -m 644 "$HERE/../systemd/test-console.service" "$root/etc/systemd/system/"
echo '/dev/vda / ext4 defaults 0 0' >"$root/etc/fstab"
printf 'datasource_list: [NoCloud, None]\nssh_deletekeys: false\nssh_genkeytypes: []\n' >"$root/etc/cloud/cloud.cfg.d/90-for-tests.cfg"

# As in each image that is copied: the guest makes its own at its first boot.
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"

systemctl --root="$root" --quiet enable test-console.service
for name in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer; do
  systemctl --root="$root" --quiet mask "$name"
done
systemctl --root="$root" --quiet mask serial-getty@ttyS1.service getty@tty1.service systemd-networkd-wait-online.service
