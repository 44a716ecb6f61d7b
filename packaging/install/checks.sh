# What is looked at before anything is changed.

# What the ELF file $1 is for, as `uname -m` has it.
machine_of() {
  # shellcheck disable=SC2046 # its first twenty bytes, in words
  set -- $(od -An -tx1 -N20 "$1")
  case "${1:-}${2:-}${3:-}${4:-} ${5:-} ${19:-}${20:-}" in
    '7f454c46 02 3e00') say x86_64 ;;
    '7f454c46 02 b700') say aarch64 ;;
    '7f454c46 01 0300') say i686 ;;
    '7f454c46 01 2800') say arm ;;
    *) say "another machine" ;;
  esac
}

check_machine() {
  theirs=
  if is_file /bin/sh; then theirs=$(machine_of "$found"); fi
  [ -n "$root" ] || [ "$(uname -m)" = "$machine" ] || theirs=$(uname -m)
  [ -z "$theirs" ] || [ "$theirs" = "$machine" ] ||
    fail "this archive is for $machine, and ${root:-this system} is for $theirs; take the archive for that"
}

# Whether the library $1 is there and has the symbol version $2; sets `found` when it is there.
library() {
  library=
  for folder in "/lib/$machine-linux-gnu" "/usr/lib/$machine-linux-gnu" /lib64 /usr/lib64 /lib /usr/lib; do
    if is_file "$folder/$1"; then
      library=$found
      grep -q "$(printf '%s' "$2" | sed 's/\./\\./g')" "$library" && return 0
    fi
  done
  return 1
}

# Node.js 22 is linked with these.
check_libraries() {
  if ! is_file "$loader"; then
    if is_file "/lib/ld-musl-$machine.so.1"; then
      fail "${root:-this system} has musl, and this executable is for glibc. The npm package runs there, by the" \
        "system's own Node.js. On Alpine: apk add nodejs npm && npm install --global" \
        "./limiquantix-guest-agent-$version.tgz"
    fi
    fail "${root:-this system} has no $loader: it has no glibc for $machine, which the executable needs"
  fi
  library libc.so.6 GLIBC_2.28 ||
    fail "${library:-libc.so.6} is older than glibc 2.28, which is the oldest that the executable runs with"
  library libstdc++.so.6 GLIBCXX_3.4.21 ||
    fail "${library:-libstdc++.so.6} is ${library:+too old}${library:-missing}; the executable needs it:" \
      "install libstdc++6 (Debian, Ubuntu) or libstdc++ (others)"
  library libgcc_s.so.1 GCC_3.0 ||
    fail "libgcc_s.so.1 is missing; the executable needs it: install libgcc-s1 (Debian, Ubuntu) or libgcc (others)"
}

# The folder that is there of the path $1, links followed.
nearest() {
  place=$(resolved "$1") || exit 1
  while [ -n "$place" ] && [ ! -e "$root$place" ]; do place=${place%/*}; done
  printf '%s\n' "$place/"
}

check_space() {
  place=$root$(nearest "$program_folder") || exit 1
  needed=$(du -sk "$here/root" | { read -r size _ && say "$size"; })
  # Without /proc there may be no telling.
  free=$(df -Pk "$place" 2>/dev/null | { read -r _ && read -r _ _ _ size _ && say "$size"; }) || return 0
  case $free in *[!0-9]* | '') return 0 ;; esac
  # The old files stay until the new ones are complete.
  [ "$free" -ge "$((needed + 1024))" ] || fail "$place has $free KiB free, and $((needed + 1024)) KiB are needed"
}

check_writable() {
  for name in "$program_folder" "$state_folder" /usr/bin/ /etc/limiquantix; do
    place=$root$(nearest "$name") || exit 1
    [ -w "$place" ] || fail "$place cannot be written to; is it read-only?"
  done
}

check_package() {
  is_file "$program_folder/limiquantix-agent" || return 0
  ! is_file "$record" || return 0
  fail "$found is not of an install.sh, so it is of a package; upgrade or remove that instead" \
    "(apt-get, dnf or zypper; its name is limiquantix-guest-agent)"
}
