// What shells source. Each asks __complete with the line as far as the cursor; a candidate that ends with a slash is
// followed by no space.

const bash = `# bash: eval "$(limiquantix-ctl completion bash)"
_limiquantix_ctl() {
  local kind line
  COMPREPLY=()
  {
    IFS= read -r kind
    while IFS= read -r line; do COMPREPLY+=("$line"); done
  } < <("\${COMP_WORDS[0]/#\\~/$HOME}" __complete "--bash=$COMP_WORDBREAKS" -- "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  if ((\${#COMPREPLY[@]} == 1)) && [[ \${COMPREPLY[0]} == */ ]]; then
    compopt -o nospace
  elif ((\${#COMPREPLY[@]} == 0)) && [[ $kind == files ]]; then
    compopt -o bashdefault -o default
  fi
}
complete -F _limiquantix_ctl limiquantix-ctl
`;

const zsh = `#compdef limiquantix-ctl
# zsh: source <(limiquantix-ctl completion zsh)
_limiquantix_ctl() {
  local -a answer open closed shown_open shown_closed
  local line value shown
  integer none=1
  answer=("\${(@f)$(\${~\${(Q)words[1]}} __complete -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  for line in "\${(@)answer[2,-1]}"; do
    value=\${line%%$'\\t'*}
    shown=\${line/$'\\t'/  -- }
    if [[ $value == */ ]]; then
      open+=("$value") shown_open+=("$shown")
    else
      closed+=("$value") shown_closed+=("$shown")
    fi
  done
  (( $#open )) && compadd -S '' -d shown_open -a open && none=0
  (( $#closed )) && compadd -d shown_closed -a closed && none=0
  [[ $answer[1] == files ]] && _files && none=0
  return none
}
if [[ \${funcstack[1]} == _limiquantix_ctl ]]; then
  _limiquantix_ctl "$@" # as a file in $fpath
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _limiquantix_ctl limiquantix-ctl
fi
`;

const fish = `# fish: limiquantix-ctl completion fish | source
function __limiquantix_ctl_complete
    set -l words (commandline -opc)
    set -l current (string unescape -- (commandline -ct))
    set -l answer (command $words[1] __complete -- $words[2..] "$current" 2>/dev/null)
    printf '%s\\n' $answer[2..]
    if test "$answer[1]" = files
        __fish_complete_path (commandline -ct)
    end
end
complete -c limiquantix-ctl -f -a '(__limiquantix_ctl_complete)'
`;

/** By shell. */
export const completionScripts = { bash, zsh, fish } as const;
