import type { Grammar, GrammarPlace, ValueRule } from "./completion.ts";

/** A completion script for zsh: to be sourced, or put into a folder of `$fpath` as `_clawlet`. */
export function zshCompletion({ places, values }: Grammar, programs: readonly string[]): string {
  // No variable may be called `path` or `words`: zsh has its own.
  return `#compdef ${programs.join(" ")}
_clawlet_place() {
  case "$1" in
${places.map(place).join("\n")}
  esac
}
_clawlet_value() {
  case "$1 $2" in
${values.map(rule).join("\n")}
    (*) return 1 ;;
  esac
}
_clawlet() {
  local at="" flag="" operand="" word="" files="" value_files="" cur=\${words[CURRENT]}
  local -a below flags choices
  local -i i
  for ((i = 2; i < CURRENT; i++)); do
    word=\${(Q)words[i]}
    if [[ -n $flag && $word != --* ]]; then flag=""; continue; fi
    flag=""
    _clawlet_place "$at"
    if [[ $word == -- ]]; then return 1
    elif [[ $word == -*=* ]]; then continue
    elif [[ $word == -* ]]; then if _clawlet_value "$at" "$word"; then flag=$word; fi
    elif [[ -z $operand && -n \${(M)below:#$word:*} ]]; then at=\${at:+$at }$word
    else operand=1
    fi
  done
  if [[ $cur == --*=* ]]; then
    flag=\${cur%%=*}
    compset -P '*='
  elif [[ $cur == --* ]]; then
    flag=""
  fi
  if [[ -n $flag ]]; then
    _clawlet_value "$at" "$flag" || return 1
    if [[ -n $value_files ]]; then _files; else compadd -a choices; fi
    return
  fi
  _clawlet_place "$at"
  if [[ $cur == -* ]]; then _describe -o option flags; return; fi
  if [[ -n $files ]]; then _files; return; fi
  if [[ -z $operand ]]; then _describe command below; fi
}
if [[ $funcstack[1] == _clawlet ]]; then
  _clawlet "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _clawlet ${programs.join(" ")}
fi
`;
}

function place({ path, words, flags, files }: GrammarPlace): string {
  return `    (${quoted(path)}) below=(${list(words)}) flags=(${list(flags)}) files=${files ? 1 : ""} ;;`;
}

/** `name:description`, as _describe has it. */
function list(entries: GrammarPlace["words"]): string {
  return entries.map(({ name, description }) => quoted(`${name}:${description}`)).join(" ");
}

function rule({ at, takesValue, choices, files }: ValueRule): string {
  const patterns = at.map(({ path, flag }) => (path === "*" ? `*${quoted(` ${flag}`)}` : quoted(`${path} ${flag}`)));
  const effect = takesValue ? `choices=(${choices.map(quoted).join(" ")}) value_files=${files ? 1 : ""}` : "return 1";
  return `    (${patterns.join("|")}) ${effect} ;;`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
