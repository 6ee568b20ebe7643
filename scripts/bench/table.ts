import type { Readings, Row } from "./figures/figure.ts";

/** What was measured of one subject. */
export interface Column {
  readonly name: string;
  readonly version: string;
  readonly readings: Readings;
}

/** The rows that something was measured for, aligned. */
export function textTable(rows: readonly (readonly [id: string, row: Row])[], columns: readonly Column[]): string {
  const cells = cellsOf(rows, columns, plainLabel);
  const widths = (cells[0] ?? []).map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  return cells
    .map((line) => line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))))
    .map((line) => `${line.join("  ").trimEnd()}\n`)
    .join("");
}

/** The same as a table of Markdown. */
export function markdownTable(rows: readonly (readonly [id: string, row: Row])[], columns: readonly Column[]): string {
  const [head = [], ...lines] = cellsOf(rows, columns, ({ label, unit }) =>
    unit === "" ? label : `${label} (${unit})`,
  );
  const rule = head.map((_, at) => (at === 0 ? "---" : "---:"));
  return [head, rule, ...lines].map((line) => `| ${line.join(" | ")} |\n`).join("");
}

function cellsOf(
  rows: readonly (readonly [id: string, row: Row])[],
  columns: readonly Column[],
  label: (row: Row) => string,
): readonly (readonly string[])[] {
  const head = ["", ...columns.map(({ name, version }) => (version === "" ? name : `${name}: ${version}`))];
  const lines = rows
    .filter(([id]) => columns.some(({ readings }) => Object.hasOwn(readings, id)))
    .map(([id, row]) => [label(row), ...columns.map(({ readings }) => cell(row, readings[id]))]);
  return [head, ...lines];
}

/** The figure, and in brackets how many times that of a bare server it is. */
function cell({ digits = 0 }: Row, reading: Readings[string] | undefined): string {
  if (!reading) return "–";
  const { value, bare } = reading;
  const figure = value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return bare ? `${figure} (${(value / bare).toPrecision(2)}×)` : figure;
}

function plainLabel({ label, unit }: Row): string {
  return `${label.replaceAll("`", "")}${unit === "" ? "" : `, ${unit}`}`;
}
