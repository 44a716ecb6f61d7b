# New files, beside where they will be until all are complete.

new_record=
# What is staged, an entry a line.
staged=

# Whether the old record has the line $1.
was_noted() { [ -n "$old_record" ] && printf '%s\n' "$old_record" | grep -Fqx -e "$1"; }

# Readies what becomes the entry $2 in its folder; sets `new` to its name for now. What is of an administrator is kept
# when the agent is taken away; the rest is noted as a $1.
stage() {
  stage_at=$(entry "$2") || exit 1
  make_folder "${stage_at%/*}"
  [ ! -d "$root$stage_at" ] || fail "$root$stage_at is a folder, and a file is to be there"
  new=$root$(beside "$stage_at")
  staged="$staged$stage_at
"
  case $1 in config | inittab) ;; *) note "$1 $stage_at" ;; esac
  rm -f "$new" || fail "cannot remove $new"
}

# What becomes $2, a copy of $1 with the mode $3.
stage_file() {
  stage file "$2"
  { cp "$1" "$new" && chmod "$3" "$new" && chown 0:0 "$new"; } || fail "cannot write $new"
}

# A symbolic link at $2 to $1, noted as a $3.
stage_link() {
  stage "$3" "$2"
  ln -s "$1" "$new" || fail "cannot make the symbolic link $new"
}

# A link at $2 to $1 that enables the service: an upgrade makes none anew that an administrator has removed.
stage_enabling() {
  if was_noted "init $init"; then
    enabling=$(entry "$2") || exit 1
    [ -L "$root$enabling" ] || return 0
  fi
  stage_link "$1" "$2" enabling
}

# The config file $2, of which $1 is new with the mode $3. One that was changed stays, and the new one is beside it.
stage_config() {
  if is_file "$2"; then
    config=$found
    if cmp -s "$config" "$1"; then return 0; fi
    if is_file "$program_folder/${2##*/}"; then shipped=$found; else shipped=/dev/null; fi
    if cmp -s "$shipped" "$1"; then
      waiting=$(entry "$2.new") || exit 1
      if was_noted "file $waiting"; then note "file $waiting"; fi
      return 0
    fi
    if ! cmp -s "$shipped" "$config"; then
      say "kept: $config, which was changed; what is shipped now: ${config##*/}.new"
      stage_file "$1" "$2.new" "$3"
      return 0
    fi
  fi
  stage config "$2"
  { cp "$1" "$new" && chmod "$3" "$new" && chown 0:0 "$new"; } || fail "cannot write $new"
}

stage_all() {
  while read -r kind for mode name source; do
    [ "$for" = any ] || [ "$for" = "$init" ] || continue
    case $kind in
      folder)
        place=$(resolved "$name") || exit 1
        if [ ! -d "$root$place" ]; then
          make_folder "$place"
          chmod "$mode" "$root$place"
        fi
        ;;
      link) stage_link "$source" "$name" file ;;
      config) stage_config "$here/$source" "$name" "$mode" ;;
      file) stage_file "$here/$source" "$name" "$mode" ;;
    esac
  done <"$here/contents"
}

# The new record has the folders that were made earlier, too.
stage_record() {
  stage file "$record"
  {
    printf '%s' "$new_record"
    printf '%s\n' "$old_record" | grep '^folder ' || true
  } | sort -u >"$new" || fail "cannot write $new"
}

# From here on nothing needs space: what was staged takes its place.
commit() {
  [ -n "$root" ] || sync
  printf '%s' "$staged" | while read -r name; do
    mv -f "$root$(beside "$name")" "$root$name" || fail "cannot rename $root$(beside "$name")"
  done
  staged=
  remove_recorded "$(printf '%s\n' "$old_record" | while read -r kind name; do
    [ "$kind" = folder ] || printf '%s' "$new_record" | grep -Fqx -e "$kind $name" || say "$kind $name"
  done)"
}

# Removes what was staged and not committed, and the folders that were made for it.
# shellcheck disable=SC2317 # a trap calls it
discard() {
  [ -n "$staged" ] || return 0
  printf '%s' "$staged" | while read -r name; do rm -f "$root$(beside "$name")"; done
  remove_recorded "$(printf '%s' "$new_record" | grep '^folder ')"
}

# Removes what the lines $1 name, but no config, and folders only when they are empty.
remove_recorded() {
  folders=
  while read -r kind name; do
    case $kind in
      file | enabling)
        place=$(entry "$name") || exit 1
        rm -f "$root$place" || warn "cannot remove $root$place"
        ;;
      folder)
        place=$(resolved "$name") || exit 1
        folders="$place
$folders"
        ;;
    esac
  done <<LINES
$1
LINES
  # Those below come before those above.
  printf '%s' "$folders" | sort -r | while read -r place; do
    [ -z "$place" ] || rmdir "$root$place" 2>/dev/null || true
  done
}
