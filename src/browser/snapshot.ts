import { isObject, type JsonObject } from "../kit/json.ts";
import { objectAt, textAt } from "./cdp.ts";

/** A page as somebody who cannot see it reads it: an outline of what it says and what can be done there. */
export interface Snapshot {
  readonly text: string;
  /** The DOM node behind each `[ref=e1]` of the text. */
  readonly refs: ReadonlyMap<string, number>;
}

export interface SnapshotOptions {
  /** Only what can be clicked, written into or chosen. */
  readonly interactive?: boolean;
  readonly maxChars: number;
}

/**
 * The outline of an accessibility tree (`Accessibility.getFullAXTree`): a line for each thing that has a role or a name,
 * further in for what it holds. What can be acted upon has a reference. Too long an outline ends with a line that says so.
 */
export function outline(nodes: readonly unknown[], { interactive = false, maxChars }: SnapshotOptions): Snapshot {
  const byId = new Map<string, JsonObject>();
  for (const node of nodes) if (isObject(node)) byId.set(textAt(node, "nodeId"), node);
  const children = (node: JsonObject): readonly JsonObject[] => {
    const ids: readonly unknown[] = Array.isArray(node["childIds"]) ? node["childIds"] : [];
    return ids.map((id) => byId.get(String(id))).filter((child) => child !== undefined);
  };
  const refs = new Map<string, number>();
  const lines: string[] = [];
  const seen = new Set<JsonObject>();
  let size = 0;
  let left = 0;

  /** Trees are as deep as whoever made the page wishes: no recursion. */
  const [root] = byId.values();
  const todo: { readonly node: JsonObject; readonly depth: number; readonly within: string }[] = [];
  if (root) todo.push({ node: root, depth: 0, within: "" });
  for (let step = todo.pop(); step; step = todo.pop()) {
    const { node, depth, within } = step;
    if (seen.has(node)) continue;
    seen.add(node);
    const role = valueAt(node, "role");
    const name = clipped(valueAt(node, "name"), MOST_NAME);
    const isControl = controls.has(role) || (role !== "RootWebArea" && isFocusable(node));
    const shown = node["ignored"] !== true && isWorthALine({ role, name, within, isControl, interactive });
    let inner = depth;
    if (shown) {
      const id = node["backendDOMNodeId"];
      const ref = isControl && typeof id === "number" ? `e${refs.size + 1}` : undefined;
      const line = `${"  ".repeat(Math.min(depth, MOST_DEPTH))}- ${lineOf(node, { role, name, ref })}`;
      if (size + line.length > maxChars) {
        left++;
        continue;
      }
      if (ref !== undefined && typeof id === "number") refs.set(ref, id);
      lines.push(line);
      size += line.length + 1;
      inner = depth + 1;
    }
    // What a control holds is its name already.
    if (shown && leaves.has(role)) continue;
    const below = shown ? name : within;
    for (const child of children(node).toReversed()) todo.push({ node: child, depth: inner, within: below });
  }
  if (left > 0) lines.push(`- … ${left} more: scroll or open a part of the page, or ask for interactive elements only`);
  return { text: lines.join("\n"), refs };
}

const MOST_NAME = 200;
const MOST_DEPTH = 12;

/** Roles that are made to be used (WAI-ARIA 1.2, 5.3.2). */
const controls: ReadonlySet<string> = new Set(
  (
    "button checkbox combobox ComboBoxSelect gridcell link listbox menuitem menuitemcheckbox menuitemradio " +
    "option radio scrollbar searchbox slider spinbutton switch tab textbox treeitem"
  ).split(" "),
);

/** Roles whose name says what is in them. */
const leaves: ReadonlySet<string> = new Set(
  "button checkbox link menuitem menuitemcheckbox menuitemradio option radio switch tab heading img image".split(" "),
);

/** Roles that say nothing by themselves. */
const silent: ReadonlySet<string> = new Set(
  (
    "none presentation generic InlineTextBox LineBreak Section GenericContainer RootWebArea WebArea " +
    "LayoutTable LayoutTableRow LayoutTableCell ListMarker LabelText MenuListPopup StaticText paragraph strong emphasis"
  ).split(" "),
);

function isWorthALine(seen: {
  role: string;
  name: string;
  within: string;
  isControl: boolean;
  interactive: boolean;
}): boolean {
  const { role, name, within, isControl, interactive } = seen;
  if (isControl) return true;
  if (interactive || role === "") return false;
  if (role === "StaticText") return name !== "" && !within.includes(name);
  return !silent.has(role);
}

function lineOf(
  node: JsonObject,
  { role, name, ref }: { role: string; name: string; ref: string | undefined },
): string {
  if (role === "StaticText") return `text: ${name}`;
  const marks = marksOf(node);
  const value = clipped(valueAt(node, "value"), MOST_NAME);
  return [
    role,
    ...(name === "" ? [] : [JSON.stringify(name)]),
    ...(ref === undefined ? [] : [`[ref=${ref}]`]),
    ...marks,
    ...(value === "" || value === name ? [] : [`value: ${JSON.stringify(value)}`]),
  ].join(" ");
}

/** States that somebody who acts has to know. */
function marksOf(node: JsonObject): readonly string[] {
  const properties = Array.isArray(node["properties"]) ? node["properties"].filter(isObject) : [];
  return properties.flatMap((property) => {
    const name = textAt(property, "name");
    const value = objectAt(property, "value")["value"];
    if (name === "url") return typeof value === "string" ? [`→ ${clipped(value, MOST_NAME)}`] : [];
    if (name === "level") return [`[level=${String(value)}]`];
    if (["checked", "pressed"].includes(name)) return value === "false" ? [] : [`[${name}=${String(value)}]`];
    return ["disabled", "expanded", "selected", "required", "readonly"].includes(name) && value === true
      ? [`[${name}]`]
      : [];
  });
}

function isFocusable(node: JsonObject): boolean {
  const properties = Array.isArray(node["properties"]) ? node["properties"].filter(isObject) : [];
  return properties.some(
    (property) => property["name"] === "focusable" && objectAt(property, "value")["value"] === true,
  );
}

function valueAt(node: JsonObject, key: string): string {
  const value = objectAt(node, key)["value"];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** One line of what a page says. */
function clipped(text: string, most: number): string {
  const line = text.replace(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}
