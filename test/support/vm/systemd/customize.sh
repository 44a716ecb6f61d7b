#!/bin/sh
# Run by mmdebstrap with the guest's root folder, to make it a guest for tests.
set -eu
root=$1
mkdir -p "$root/lib/modules"
cp -r "$KERNEL_MODULES" "$root/lib/modules/"
chroot "$root" depmod "$(basename "$KERNEL_MODULES")"

install -D -m 755 "$HERE/../console.sh" "$root/usr/local/sbin/test-console"
install -m 644 "$HERE/test-console.service" "$UNIT" "$root/etc/systemd/system/"
install -D -m 644 "$RULES" "$root/usr/lib/udev/rules.d/$(basename "$RULES")"
install -D -m 644 "$HERE/agent-for-tests.conf" "$root/etc/systemd/system/limiquantix-agent.service.d/for-tests.conf"
install -m 644 "$HERE/fstab" "$root/etc/fstab"
install -m 600 "$HERE/netplan.yaml" "$root/etc/netplan/50-guest.yaml"
install -D -m 644 "$HERE/journald.conf" "$root/etc/systemd/journald.conf.d/guest.conf"
mkdir -p "$root/node" "$root/agent" "$root/scratch" "$root/etc/limiquantix"
ln -s /node/bin/node "$root/usr/bin/node"
printf '#!/bin/sh\nexec /usr/bin/node /agent/dist/bin/agent.cjs "$@"\n' >"$root/usr/bin/limiquantix-agent"
chmod 755 "$root/usr/bin/limiquantix-agent"

echo guest >"$root/etc/hostname"
echo '127.0.0.1 localhost guest' >"$root/etc/hosts"
# Not empty: systemd would take it for a first boot, and set all units to their defaults.
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"

chroot "$root" useradd --create-home --shell /bin/bash alice
echo 'alice:wonderland' | chroot "$root" chpasswd

unit() { systemctl --root="$root" --quiet "$@"; }
unit enable test-console.service limiquantix-agent.service systemd-networkd.service
for name in chrony.service ssh.service ssh.socket apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
  e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-networkd-wait-online.service systemd-timesyncd.service; do
  unit disable "$name" 2>/dev/null || true # not each is there
done
unit mask serial-getty@ttyS1.service getty@tty1.service systemd-firstboot.service systemd-networkd-wait-online.service
