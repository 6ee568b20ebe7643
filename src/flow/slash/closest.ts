/** Up to three of the names that are most like what was typed, the closest first; names that are quite different are left out. */
export function closest(typed: string, names: readonly string[]): readonly string[] {
  const wanted = pairsOf(typed);
  return [...new Set(names)]
    .map((name) => ({
      name,
      likeness: Math.max(likeness(wanted, pairsOf(name)), likeness(wanted, pairsOf(lastPart(name)))),
    }))
    .filter(({ likeness }) => likeness >= 0.3)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** The model's id without its provider: people type either. */
function lastPart(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

function pairsOf(text: string): ReadonlySet<string> {
  const padded = ` ${text.slice(0, 200).toLowerCase()} `;
  return new Set(Array.from({ length: padded.length - 1 }, (_, at) => padded.slice(at, at + 2)));
}

/** The share of pairs of characters that two texts have in common (Dice). */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const common = [...a].filter((pair) => b.has(pair)).length;
  return (2 * common) / (a.size + b.size);
}
