// weir completion: the script that teaches a shell the commands, options and names.
import type { CommandDefinition } from '../command.ts';
import { EXIT } from '../exit.ts';

const BASH = `# bash completion for weir; load it with: source <(weir completion bash)
_weir() {
  local candidates candidate
  # "=" breaks words in bash; what is typed is put together again from the line.
  local line="\${COMP_LINE:0:COMP_POINT}"
  local -a words
  read -ra words <<<"$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  candidates="$(weir __complete -- "\${words[@]:1}" 2>/dev/null)" || return
  # So does ":"; what stands before the last of them is not what bash completes.
  local current="\${words[-1]}"
  local prefix="\${current%"\${current##*[=:]}"}"
  COMPREPLY=()
  while IFS= read -r candidate; do
    [[ -n "$candidate" ]] && COMPREPLY+=("\${candidate#"$prefix"}")
  done <<<"$candidates"
  [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == *[=:/] ]] && compopt -o nospace
}
complete -o default -F _weir weir
`;

const ZSH = `#compdef weir
# zsh completion for weir; load it with: source <(weir completion zsh)
_weir() {
  local -a candidates
  candidates=("\${(@f)$(weir __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=("\${(@)candidates:#}")
  if (( \${#candidates} )); then
    compadd -S '' -- "\${(@M)candidates:#*[=:/]}"
    compadd -- "\${(@)candidates:#*[=:/]}"
  else
    _files
  fi
}
compdef _weir weir
`;

const FISH = `# fish completion for weir; load it with: weir completion fish | source
function __weir_complete
    set -l words (commandline -opc) (commandline -ct)
    weir __complete -- $words[2..-1] 2>/dev/null
end
complete -c weir -f -a '(__weir_complete)'
complete -c weir -n '__fish_seen_subcommand_from check serve apply' -F
`;

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export const completionCommand: CommandDefinition = {
  examples: ['source <(weir completion bash)', 'source <(weir completion zsh)', 'weir completion fish | source'],
  notes: 'Names of services, versions and clusters are asked of the appliance, within a second.',
  arguments: [{ name: 'SHELL', summary: 'the shell', choices: Object.keys(SCRIPTS) }],
  run: async ({ values, terminal }) => {
    await terminal.data(SCRIPTS[values.argument(0)] ?? '');
    return EXIT.ok;
  },
};
