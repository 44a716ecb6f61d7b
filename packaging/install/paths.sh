# Where the path $1 is below $root, its links followed as the guest itself would: none leads out of $root.
resolved() {
  (
    at=
    rest=$1
    links=0
    while [ -n "$rest" ]; do
      name=${rest%%/*}
      case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
      case $name in
        '' | .) ;;
        ..) at=${at%/*} ;;
        *)
          if [ -L "$root$at/$name" ]; then
            links=$((links + 1))
            [ "$links" -le 40 ] || fail "$root$1: too many symbolic links on the way"
            target=$(readlink "$root$at/$name")
            case $target in /*) at= ;; esac
            rest=$target/$rest
          else
            at=$at/$name
          fi
          ;;
      esac
    done
    printf '%s\n' "$at"
  )
}

# Where the entry $1 itself is: the links on the way to it are followed, and not what it is.
entry() {
  folder=$(resolved "${1%/*}") || exit 1
  case ${1##*/} in '' | . | ..) fail "$1 is no name of a file" ;; esac
  printf '%s\n' "$folder/${1##*/}"
}

# Whether the regular file $1 is there; sets `found` to what it is outside.
is_file() {
  found=$root$(resolved "$1") || exit 1
  [ -f "$found" ]
}

# Makes the folder $1, links followed, and those on the way; adds what is new to the record.
make_folder() {
  [ -n "$1" ] || return 0
  [ ! -d "$root$1" ] || return 0
  make_folder "${1%/*}"
  mkdir "$root$1" || fail "cannot make the folder $root$1"
  chmod 755 "$root$1"
  note "folder $1"
}

# Adds a line to the new record.
note() { new_record="$new_record$1
"; }

# The name beside it under which what becomes the entry $1 is made.
beside() { printf '%s\n' "${1%/*}/.${1##*/}.limiquantix-new"; }
