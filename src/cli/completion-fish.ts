import type { Grammar, GrammarPlace, ValueRule } from "./completion.ts";

/** A completion script for fish 3 and later: to be sourced, or put into `~/.config/fish/completions`. */
export function fishCompletion({ places, values }: Grammar, programs: readonly string[]): string {
  return `# fish completion for ${programs.join(", ")}
function __clawlet_words
    switch "$argv[1]"
${places
  .filter(({ words }) => words.length > 0)
  .map((each) => lines(each, each.words))
  .join("\n")}
    end
end
function __clawlet_flags
    switch "$argv[1]"
${places.map((each) => lines(each, each.flags)).join("\n")}
    end
end
function __clawlet_files
    contains -- "$argv[1]" ${places
      .filter(({ files }) => files)
      .map(({ path }) => quoted(path))
      .join(" ")}
end
function __clawlet_value
    switch "$argv[1] $argv[2]"
${values.map(rule).join("\n")}
        case '*'
            return 1
    end
end
function __clawlet_complete
    set -l cur (commandline -ct)
    set -l at ''
    set -l flag ''
    set -l operand ''
    for word in (commandline -opc)[2..-1]
        if test -n "$flag"; and not string match -q -- '--*' $word
            set flag ''
            continue
        end
        set flag ''
        switch $word
            case --
                return
            case '-*=*'
                continue
            case '-*'
                if __clawlet_value "$at" $word >/dev/null
                    set flag $word
                end
            case '*'
                if test -z "$operand"; and contains -- $word (__clawlet_words "$at" | string replace -r '\\t.*' '')
                    set at (string trim -- "$at $word")
                else
                    set operand 1
                end
        end
    end
    if string match -q -- '--*=*' $cur
        set flag (string replace -r '=.*' '' -- $cur)
        if __clawlet_value "$at" $flag >/dev/null
            string replace -r -- '^' "$flag=" (__clawlet_value "$at" $flag)
        end
    else if test -n "$flag"; and not string match -q -- '--*' $cur
        __clawlet_value "$at" $flag
    else if string match -q -- '-*' $cur
        __clawlet_flags "$at"
    else if __clawlet_files "$at"
        __fish_complete_path $cur
    else if test -z "$operand"
        __clawlet_words "$at"
    end
end
${programs.map((program) => `complete -c ${program} -f -a '(__clawlet_complete)'`).join("\n")}
`;
}

function lines({ path }: GrammarPlace, entries: GrammarPlace["words"]): string {
  const printed = entries.map(({ name, description }) => `${quoted(name)} ${quoted(description)}`).join(" ");
  return `        case ${quoted(path)}\n            printf '%s\\t%s\\n' ${printed}`;
}

function rule({ at, takesValue, choices, files }: ValueRule): string {
  const patterns = at.map(({ path, flag }) => quoted(`${path} ${flag}`)).join(" ");
  const effect = !takesValue
    ? "return 1"
    : files
      ? "__fish_complete_path (commandline -ct)"
      : choices.length > 0
        ? `printf '%s\\n' ${choices.map(quoted).join(" ")}`
        : "true";
  return `        case ${patterns}\n            ${effect}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`)}'`;
}
