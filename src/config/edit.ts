import { type Change, differences } from "./differences.ts";
import { type Member, parseTree, type Tree } from "./tree.ts";

/** More changes than this are a new file rather than an edit. */
const maxChanges = 200;

/**
 * The JSON5 text with its value turned from `before` into `after`, or undefined when that is better written anew.
 * Comments and layout stay, except inside a value that is replaced as a whole.
 */
export function editText(text: string, before: unknown, after: unknown): string | undefined {
  const changes = differences(before, after);
  if (changes.length > maxChanges || changes.some(({ path }) => path.length === 0)) return undefined;
  return changes.reduce(applyChange, text);
}

interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function applyChange(text: string, { path, value }: Change): string {
  const root = parseTree(text);
  let holder = root;
  for (const step of path.slice(0, -1)) holder = memberOf(holder, step)?.value ?? holder;
  const step = path.at(-1) ?? "";
  const member = memberOf(holder, step);
  const splices = member
    ? value === undefined
      ? removal(text, holder, member)
      : [
          {
            start: member.value.start,
            end: member.value.end,
            text: render(value, indentAt(text, member.start), unitOf(text, root)),
          },
        ]
    : insertion(text, { root, holder, key: typeof step === "number" ? undefined : step, value });
  return splices
    .toSorted((a, b) => b.start - a.start)
    .reduce((edited, splice) => edited.slice(0, splice.start) + splice.text + edited.slice(splice.end), text);
}

/** The last member of that name: the one that counts when a key is there twice. */
function memberOf(tree: Tree, step: string | number): Member | undefined {
  return typeof step === "number" ? tree.members[step] : tree.members.findLast((member) => member.key === step);
}

/** Takes every member of the name out (a second one would come to light), with its comma but not its comments. */
function removal(text: string, holder: Tree, member: Member): readonly Splice[] {
  const doomed = holder.members.filter(
    (candidate) => candidate === member || (member.key !== undefined && candidate.key === member.key),
  );
  const kept = holder.members.filter((candidate) => !doomed.includes(candidate));
  const splices = doomed.flatMap(({ start, value, comma }) => wholeLines(text, start, value.end, comma));
  const last = kept.at(-1);
  const trailing = holder.members.at(-1)?.comma !== undefined;
  if (last?.comma !== undefined && !trailing) splices.push({ start: last.comma, end: last.comma + 1, text: "" });
  return splices;
}

function wholeLines(text: string, start: number, valueEnd: number, comma: number | undefined): Splice[] {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const end = comma !== undefined && text.slice(valueEnd, comma).trim() === "" ? comma + 1 : valueEnd;
  const apart = comma !== undefined && end === valueEnd ? [{ start: comma, end: comma + 1, text: "" }] : [];
  const newline = /[ \t]*\r?\n/y;
  newline.lastIndex = end;
  const rest = newline.exec(text);
  const alone = text.slice(lineStart, start).trim() === "" && rest !== null && apart.length === 0;
  if (alone) return [{ start: lineStart, end: end + rest[0].length, text: "" }];
  const gap = /^[ \t]*/.exec(text.slice(end))?.[0].length ?? 0;
  return [{ start, end: apart.length > 0 ? end : end + gap, text: "" }, ...apart];
}

function insertion(
  text: string,
  { root, holder, key, value }: { root: Tree; holder: Tree; key: string | undefined; value: unknown },
): readonly Splice[] {
  const unit = unitOf(text, root);
  const style = holder.members[0] ?? root.members[0];
  const last = holder.members.at(-1);
  const outer = indentAt(text, holder.start);
  const named = (indent: string) =>
    (key === undefined ? "" : `${renderKey(key, style?.quoted !== false)}: `) + render(value, indent, unit);
  if (!last) {
    const inner = outer + unit;
    const inside = text.slice(holder.start + 1, holder.end - 1).trimEnd();
    return [{ start: holder.start + 1, end: holder.end - 1, text: `${inside}\n${inner}${named(inner)}\n${outer}` }];
  }
  const comma = last.comma === undefined ? [{ start: last.value.end, end: last.value.end, text: "," }] : [];
  const after = last.comma === undefined ? last.value.end : last.comma + 1;
  const ending = last.comma === undefined ? "" : ",";
  const firstStart = holder.members[0]?.start ?? holder.start;
  if (!text.slice(holder.start, firstStart).includes("\n")) {
    return [{ start: after, end: after, text: `${comma.length > 0 ? "," : ""} ${named(outer)}${ending}` }];
  }
  const indent = indentAt(text, last.start);
  const place = endOfLineComments(text, after);
  const added = `\n${indent}${named(indent)}${ending}`;
  if (place === after && comma.length > 0) return [{ start: after, end: after, text: `,${added}` }];
  return [...comma, { start: place, end: place, text: added }];
}

/** The offset after the comments that follow on the same line: they belong to what stands before them. */
function endOfLineComments(text: string, from: number): number {
  const lineEnd = text.indexOf("\n", from);
  const rest = text.slice(from, lineEnd < 0 ? text.length : lineEnd);
  const comments = /^(?:[ \t]*(?:\/\/.*|\/\*.*?\*\/))+/.exec(rest);
  return comments ? from + comments[0].trimEnd().length : from;
}

function render(value: unknown, indent: string, unit: string): string {
  return JSON.stringify(value, undefined, unit).replaceAll("\n", `\n${indent}`);
}

function renderKey(key: string, quoted: boolean): string {
  return !quoted && /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}

/** The white space that the line begins with. */
function indentAt(text: string, offset: number): string {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart, offset))?.[0] ?? "";
}

/** One level of the file's own indentation. */
function unitOf(text: string, root: Tree): string {
  const first = root.members[0];
  return (first && text.slice(root.start, first.start).includes("\n") && indentAt(text, first.start)) || "  ";
}
