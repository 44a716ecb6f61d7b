# The command by which a host upgrades its agent, or nothing: what that prints goes through the agent.
command_of_host() {
	agent=$(systemctl show --value --property=MainPID "$unit")
	[ "$agent" -gt 1 ] || return 0
	pid=$$
	while [ "$pid" -gt 1 ]; do
		parent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
		if [ "$parent" = "$agent" ]; then
			echo "$pid"
			return
		fi
		pid=$parent
	done
}

restart_agent() {
	command=$(command_of_host)
	if [ -z "$command" ]; then
		systemctl restart "$unit"
	else
		echo "$unit restarts when this command of the host has ended."
		systemd-run --quiet --collect /bin/sh -c \
			"timeout 600 tail --pid=$command -f /dev/null; systemctl try-restart $unit"
	fi
}

# systemd and udev read what has changed; a port that is there starts the agent, or loses its name.
reload_units() {
	systemctl daemon-reload
	if command -v udevadm >/dev/null; then
		udevadm control --reload || true
		udevadm trigger --action=change --subsystem-match=virtio-ports || true
	fi
}
