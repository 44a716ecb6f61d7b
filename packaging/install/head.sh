#!/bin/sh
# Installs limiquantix-agent, upgrades it, or takes it away: see --help. It is for any Linux with glibc; the sh of busybox
# and dash will do. No file that is there is ever written to: each new one is made beside it and takes its place.
set -eu
LC_ALL=C
export LC_ALL
umask 022

usage() {
  cat <<'USAGE'
Usage: install.sh [--root DIR] [--init INIT] [--no-start]
       install.sh --uninstall [--root DIR] [--init INIT]

Installs limiquantix-agent, or upgrades it. What an administrator has changed in its config is kept.

  --root DIR   the root folder of an image that is prepared; nothing that is in it is run
  --init INIT  systemd, openrc, sysv, busybox or none; without it: what is found there
  --no-start   do not start it now, nor restart it; it is started when the guest boots
  --uninstall  take it away; its config stays
  --help       this text
USAGE
}

program_folder=/usr/lib/limiquantix-agent
state_folder=/var/lib/limiquantix
service=limiquantix-agent
# What was installed: "file PATH" and "folder PATH", links followed.
record=$program_folder/installed
# What the archive is for: its file "release" sets them.
version=
machine=
loader=
here=$(cd "$(dirname "$0")" && pwd -P)

say() { printf '%s\n' "$*"; }
warn() { printf 'install.sh: %s\n' "$*" >&2; }
fail() {
  warn "$@"
  exit 1
}
