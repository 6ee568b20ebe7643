import type { Grammar, GrammarPlace, ValueRule } from "./completion.ts";

/**
 * A completion script for bash 3.2 (macOS) and later, without bash-completion. Bash takes `=` for a word of its own, so
 * `--bind=lan` arrives in three.
 */
export function bashCompletion({ places, values }: Grammar, programs: readonly string[]): string {
  return `# bash completion for ${programs.join(", ")}
_clawlet_place() {
  case "$1" in
${places.map(place).join("\n")}
  esac
}
_clawlet_value() {
  case "$1 $2" in
${values.map(rule).join("\n")}
    *) return 1 ;;
  esac
}
_clawlet_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$1"))
}
_clawlet_complete() {
  local IFS=$' \\t\\n' cur=\${COMP_WORDS[COMP_CWORD]} at="" flag="" operand="" word i
  local words="" flags="" files="" choices="" value_files=""
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == "=" ]]; then continue; fi
    if [[ -n $flag && $word != --* ]]; then flag=""; continue; fi
    flag=""
    _clawlet_place "$at"
    if [[ $word == -- ]]; then return
    elif [[ $word == -* ]]; then if _clawlet_value "$at" "$word"; then flag=$word; fi
    elif [[ -z $operand && " $words " == *" $word "* ]]; then at=\${at:+$at }$word
    else operand=1
    fi
  done
  if [[ $cur == "=" ]]; then cur=""; fi
  choices="" value_files=""
  if [[ -n $flag && $cur != --* ]]; then
    _clawlet_value "$at" "$flag"
    if [[ -n $value_files ]]; then _clawlet_files "$cur"; else COMPREPLY=($(compgen -W "$choices" -- "$cur")); fi
    return
  fi
  _clawlet_place "$at"
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$cur")); return; fi
  if [[ -z $operand ]]; then COMPREPLY=($(compgen -W "$words" -- "$cur")); fi
  if [[ -n $files && \${#COMPREPLY[@]} -eq 0 ]]; then _clawlet_files "$cur"; fi
}
complete -F _clawlet_complete ${programs.join(" ")}
`;
}

function place({ path, words, flags, files }: GrammarPlace): string {
  const names = (list: GrammarPlace["words"]): string => quoted(list.map(({ name }) => name).join(" "));
  return `    ${quoted(path)}) words=${names(words)} flags=${names(flags)} files=${files ? 1 : ""} ;;`;
}

function rule({ at, takesValue, choices, files }: ValueRule): string {
  const patterns = at.map(({ path, flag }) => (path === "*" ? `*${quoted(` ${flag}`)}` : quoted(`${path} ${flag}`)));
  const effect = takesValue ? `choices=${quoted(choices.join(" "))} value_files=${files ? 1 : ""}` : "return 1";
  return `    ${patterns.join("|")}) ${effect} ;;`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
