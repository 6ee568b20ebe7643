import { existsSync } from "node:fs";
import { families, layers } from "../layers.ts";
import { fence } from "./markdown.ts";

/** The page with the picture of the layers, as they are now, between its two marks. */
export function withLayers(text: string): string {
  const [before, rest = ""] = text.split(`${begin}\n`);
  const after = rest.split(end)[1];
  if (after === undefined) throw new Error(`the page has no ${begin} and ${end}: put them where the picture belongs`);
  return `${before}${begin}\n\n${picture()}\n\n${end}${after}`;
}

const begin = "<!-- layers: begin -->";
const end = "<!-- layers: end -->";

/** The highest layer on top; a folder that is a family ends with a slash and a star. */
function picture(): string {
  const rows = layers
    .map(({ parts, does }, layer) => ({
      names: parts.filter((part) => existsSync(`src/${part}`)).map((part) => (families.has(part) ? `${part}/*` : part)),
      layer: String(layer).padStart(2),
      does,
    }))
    .filter(({ names }) => names.length > 0)
    .toReversed();
  const width = Math.max(...rows.map(({ names }) => names.join("  ").length));
  const rule = `${"─".repeat(4)}┼${"─".repeat(width + 2)}┼`;
  return fence("text", [
    ...rows.flatMap(({ layer, names, does }) => {
      const [first = "", ...more] = does.split("; ").reduce<string[]>(joined, []);
      return [
        ` ${layer} │ ${names.join("  ").padEnd(width)} │ ${first}`,
        ...more.map((line) => `    │ ${" ".repeat(width)} │ ${line}`),
      ];
    }),
    rule.replaceAll("┼", "┴"),
    "      src: no runtime, no operating system. adapters/: nothing else, behind src/host/host.ts",
  ]);
}

/** Puts phrases together into lines that are not long. */
function joined(lines: string[], phrase: string): string[] {
  const last = lines.at(-1);
  if (last !== undefined && last.length + phrase.length < 48) return [...lines.slice(0, -1), `${last}; ${phrase}`];
  return [...lines, phrase];
}
