# What is done, in order.

check_all() {
  [ -f "$here/contents" ] || fail "$here has not the rest of the archive in it; from here only --uninstall works"
  # shellcheck disable=SC1091 # it is made with the archive
  . "$here/release"
  check_machine
  check_libraries
  check_package
  check_writable
  check_space
}

# The new executable, where it can run, before it takes the place of the old one.
check_runs() {
  [ -z "$root" ] || return 0
  executable=$(entry "$program_folder/limiquantix-agent") || exit 1
  told=$("$(beside "$executable")" --version) || fail "the executable does not run here; nothing was changed"
  [ "$told" = "$version" ] || fail "the executable is of version $told, not $version; nothing was changed"
}

label() {
  if [ -z "$root" ]; then
    [ -e /sys/fs/selinux/enforce ] && command -v restorecon >/dev/null || return 0
    sed 's/^[a-z]* //' "$record" | while read -r name; do
      restorecon "$name" || warn "cannot give $name its SELinux label"
    done
  elif is_file /etc/selinux/config && grep -Eq '^SELINUX=(enforcing|permissive)' "$found"; then
    say "the image has SELinux: relabel it (virt-customize --selinux-relabel, or an empty file $root/.autorelabel)"
  fi
}

install() {
  [ -n "$init" ] || init=$noted_init
  [ -n "$init" ] || find_init
  check_all
  trap discard EXIT
  trap 'exit 130' HUP INT TERM
  stage_all
  stage_enabled
  note "init $init"
  stage_record
  check_runs
  commit
  label
  say "limiquantix-agent $version is installed${root:+ in $root} (init: $init)"
  if [ "$start" = yes ] && is_running; then start_service; fi
}

uninstall() {
  if [ -z "$old_record" ]; then fail "$root$record is not there: nothing that install.sh has installed"; fi
  [ -n "$init" ] || init=$noted_init
  running=no
  if is_running; then running=yes; fi
  trap discard EXIT
  if [ "$init" = busybox ] && is_file /etc/inittab && grep -Fqx -e "$inittab_line" "$found"; then
    edit_inittab
    grep -Fvx -e "$inittab_line" "$found" >"$new" || true # none is left
    mv -f "$new" "$root$stage_at"
    staged=
  fi
  if [ "$running" = yes ]; then stop_service; fi
  state=$(entry "$state_folder") || exit 1
  rm -rf "$root$state" || warn "cannot remove all of $root$state"
  remove_recorded "$old_record"
  if [ "$running" = yes ]; then forget_service; fi
  say "limiquantix-agent is not installed any more${root:+ in $root}; kept: $root/etc/limiquantix"
}

root=
init=
start=yes
action=install
while [ $# -gt 0 ]; do
  case $1 in
    --root | --init)
      [ $# -gt 1 ] || fail "$1 needs a value"
      if [ "$1" = --root ]; then root=$2; else init=$2; fi
      [ -n "$2" ] || fail "$1 has an empty value"
      shift
      ;;
    --no-start) start=no ;;
    --uninstall) action=uninstall ;;
    --help)
      usage
      exit
      ;;
    *) fail "$1 is not an option; see --help" ;;
  esac
  shift
done
case $init in
  '' | systemd | openrc | sysv | busybox | none) ;;
  *) fail "--init $init: it has to be systemd, openrc, sysv, busybox or none" ;;
esac
if [ -n "$root" ]; then
  root=$(cd "$root" 2>/dev/null && pwd -P) || fail "--root: there is no such folder"
  if [ "$root" = / ]; then root=; fi
fi
[ "$(id -u)" = 0 ] || fail "only root can install: run it with sudo"
old_record=
if is_file "$record"; then old_record=$(cat "$found"); fi
noted_init=$(printf '%s\n' "$old_record" | sed -n 's/^init //p')
case $action in
  install) install ;;
  uninstall) uninstall ;;
esac
exit
