# What starts the guest's services, and how it is told of one more.

# Finds out without running anything of $root.
find_init() {
  init=none
  if is_file /sbin/init; then
    case $found in
      */systemd) init=systemd ;;
      */openrc-init) init=openrc ;;
      */busybox) init=busybox ;;
      */init) init=sysv ;;
    esac
  fi
  if is_file /sbin/openrc && [ "$init" != systemd ]; then init=openrc; fi
  # An image whose init comes with the machine that boots it.
  if [ "$init" = none ] && is_file /lib/systemd/systemd; then init=systemd; fi
  [ "$init" != none ] ||
    fail "${root:-this system} has no init that is known; use --init systemd, openrc, sysv, busybox or none"
}

# Whether this is the running system itself, and its init is $init: neither an image, nor a container that is built.
is_running() {
  [ -z "$root" ] || return 1
  [ -e /proc/1/root/. ] && [ "$(stat -L -c %d:%i /)" = "$(stat -L -c %d:%i /proc/1/root/.)" ] || return 1
  case $init in
    systemd) [ -d /run/systemd/system ] ;;
    openrc) [ -e /run/openrc/softlevel ] ;;
    sysv | busybox) case $(cat /proc/1/comm) in init | busybox | linuxrc) ;; *) false ;; esac ;;
    *) false ;;
  esac
}

inittab_line="::respawn:/usr/bin/limiquantix-agent"

# The links that have it started when the guest boots; for busybox its inittab, or a script where there is none.
stage_enabled() {
  unit=/usr/lib/systemd/system/$service.service
  script=/etc/init.d/$service
  case $init in
    systemd)
      # No pipe: a failure ends the script.
      wanted=$(sed -n 's/^WantedBy=//p' "$here/root$unit")
      for target in $wanted; do
        stage_enabling "$unit" "/etc/systemd/system/$target.wants/$service.service"
      done
      ;;
    openrc) stage_enabling "$script" "/etc/runlevels/default/$service" ;;
    sysv)
      for level in 2 3 4 5; do stage_enabling "../init.d/$service" "/etc/rc$level.d/S20$service"; done
      for level in 0 1 6; do stage_enabling "../init.d/$service" "/etc/rc$level.d/K01$service"; done
      ;;
    busybox) stage_inittab ;;
  esac
}

stage_inittab() {
  # Without one busybox goes by a table of its own, which a file would take the place of.
  is_file /etc/inittab || fail "${root:-this system} has no /etc/inittab, which busybox would start the agent by;" \
    "use --init none, and have /usr/bin/limiquantix-agent run from there"
  ! grep -Fqx -e "$inittab_line" "$found" || return 0
  ! was_noted "init $init" || return 0
  edit_inittab && say "$inittab_line" >>"$new"
}

# Stages a copy of the inittab, `found`, whose last line ends.
edit_inittab() {
  inittab=$(resolved /etc/inittab) || exit 1
  stage inittab "$inittab"
  { cp -p "$found" "$new" && { [ -z "$(tail -c 1 "$new")" ] || say >>"$new"; }; } || fail "cannot write $new"
}

# The processes that run the agent, also the one whose executable was replaced.
agents() {
  for process in /proc/[0-9]*; do
    case $(readlink "$process/exe" 2>/dev/null) in
      "$program_folder/limiquantix-agent" | "$program_folder/limiquantix-agent (deleted)") say "${process##*/}" ;;
    esac
  done
}

tell_udev() {
  if command -v udevadm >/dev/null; then udevadm control --reload || warn "udev did not take its rules anew"; fi
}

# Of the running system: starts what was installed, and restarts what was upgraded where it runs.
start_service() {
  case $init in
    systemd)
      systemctl daemon-reload
      tell_udev
      if [ -n "$old_record" ]; then systemctl try-restart "$service"; fi
      # A port that is there already gets the unit that the service is bound to.
      if command -v udevadm >/dev/null; then
        udevadm trigger --subsystem-match=virtio-ports --action=change
      fi
      ;;
    openrc)
      if [ -z "$old_record" ]; then rc-service "$service" start; else rc-service --ifstarted "$service" restart; fi
      ;;
    sysv)
      if command -v update-rc.d >/dev/null; then update-rc.d "$service" defaults; fi
      if [ -z "$old_record" ]; then "/etc/init.d/$service" start; else "/etc/init.d/$service" restart; fi
      ;;
    busybox)
      kill -HUP 1
      # Init starts it anew.
      for pid in $(agents); do kill "$pid" || true; done
      ;;
  esac
}

stop_service() {
  case $init in
    systemd) systemctl stop "$service" ;;
    openrc) rc-service --ifstarted "$service" stop ;;
    sysv) "/etc/init.d/$service" stop ;;
    busybox)
      kill -HUP 1
      for pid in $(agents); do kill "$pid" || true; done
      ;;
  esac
}

# Of the running system: the service is no more.
forget_service() {
  case $init in
    systemd)
      systemctl daemon-reload
      tell_udev
      ;;
    sysv) if command -v update-rc.d >/dev/null; then update-rc.d "$service" remove; fi ;;
  esac
}
