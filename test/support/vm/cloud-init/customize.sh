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
# Of its modules only what the test is about: locales and keys of hosts take an emulated guest a minute.
cat >"$root/etc/cloud/cloud.cfg.d/90-for-tests.cfg" <<END
datasource_list: [NoCloud, None]
cloud_init_modules: [bootcmd, set_hostname, update_hostname]
cloud_config_modules: []
cloud_final_modules: []
END

# As in each image that is copied: the guest makes its own at its first boot.
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"

systemctl --root="$root" --quiet enable test-console.service
for name in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer; do
  systemctl --root="$root" --quiet mask "$name"
done
systemctl --root="$root" --quiet mask serial-getty@ttyS1.service getty@tty1.service systemd-networkd-wait-online.service
