import type { Scope } from "../../protocol/scope.ts";

/** The first word and all that follows it. */
export function splitFirst(text: string): readonly [first: string, rest: string] {
  const [, first = "", rest = ""] = /^(\S*)\s*(.*)$/s.exec(text.trim()) ?? [];
  return [first, rest];
}

/** What a person wrote, short enough and plain enough to be quoted back. */
export function quoted(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, " ").trim();
  const characters = Array.from(line);
  return `"${characters.length > 60 ? `${characters.slice(0, 60).join("")}…` : line}"`;
}

/** The scope of a command that shows a setting by itself, and changes it with words: an administrator's, as with `sessions.patch`. */
export function settingScope(args: string): Scope {
  return args === "" ? "operator.write" : "operator.admin";
}
