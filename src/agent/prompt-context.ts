import type { WorkspaceFile } from "./workspace-files.ts";

/** What became of a workspace file in the prompt. */
export type InjectedFile = {
  readonly name: string;
  readonly path: string;
  readonly missing: boolean;
  readonly rawChars: number;
  readonly injectedChars: number;
  readonly truncated: boolean;
};

/** The person's own files as the last part of the prompt, each cut to `most` characters. */
export function projectContext(
  loaded: readonly WorkspaceFile[],
  most: number,
): { readonly text: string; readonly files: readonly InjectedFile[] } {
  // The ritual of the first conversation is meant to be deleted, and no heartbeats is a choice too.
  const files = loaded.filter(
    ({ name, text, problem }) => text !== undefined || problem !== undefined || !optional.has(name),
  );
  const parts = files.map((file) => ({ file, text: cut(textOf(file), { most, name: file.name }) }));
  const heading = "# Project Context\n\nFiles of your workspace, as they are now:";
  return {
    text:
      parts.length === 0 ? "" : [heading, ...parts.map(({ file, text }) => `## ${file.name}\n\n${text}`)].join("\n\n"),
    files: parts.map(({ file, text }) => ({
      name: file.name,
      path: file.path,
      missing: file.text === undefined,
      rawChars: file.text?.length ?? 0,
      injectedChars: file.text === undefined ? 0 : text.length,
      truncated: textOf(file).length > most,
    })),
  };
}

const optional: ReadonlySet<string> = new Set(["BOOTSTRAP.md", "HEARTBEAT.md"]);

function textOf({ text, problem }: WorkspaceFile): string {
  if (text !== undefined) return text.trim() || "(empty)";
  return problem === undefined ? "(missing)" : `(not read: ${problem})`;
}

/** The beginning and the end of a long text: rules stand first, and what was learned last is added below. */
function cut(text: string, { most, name }: { most: number; name: string }): string {
  if (text.length <= most) return text;
  // Half a character at either edge is left out.
  const head = text.slice(0, Math.floor(most * 0.7)).replace(/[\ud800-\udbff]$/, "");
  const tail = text.slice(text.length - Math.floor(most * 0.2)).replace(/^[\udc00-\udfff]/, "");
  return `${head}\n\n[… ${text.length - head.length - tail.length} characters left out: read ${name} for all of it …]\n\n${tail}`;
}
