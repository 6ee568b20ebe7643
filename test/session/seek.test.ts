import { test } from "uvu";
import * as assert from "uvu/assert";
import { landmarks } from "../../src/session/landmarks.ts";
import { seek, type Mark } from "../../src/session/seek.ts";
import { random } from "../config/random.ts";

interface Line {
  readonly offset: number;
  readonly end: number;
  readonly value: number;
}

test("a seek ends at or shortly before the first line above the target, however uneven lines are", async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const pick = random(seed);
    const lines = linesOf(pick(400), () => (pick(10) === 0 ? pick(200_000) : 1 + pick(600)), pick);
    const end = lines.at(-1)?.end ?? 0;
    const most = lines.at(-1)?.value ?? 0;
    for (let turn = 0; turn < 20; turn++) {
      const target = pick(most + 2);
      const [low, edge] = marksAround(lines, { target, pick, end: { offset: end, value: most } });
      const window = 1 + pick(40_000);
      const { found, probes } = await sought(lines, { target, low, edge, lead: pick(20_000), window });
      const first = lines.findIndex(({ value }) => value > target);
      const context = `seed ${seed}, turn ${turn}: ${found}`;
      const early = (lines[first]?.offset ?? end) - found;
      const passed = target - (lines.find(({ offset }) => offset === found)?.value ?? target);
      assert.ok(first < 0 ? found === end : early >= 0, context);
      assert.ok(early <= Math.max(window, 4096) || passed <= 20, `${context} is ${early} bytes before it`);
      assert.ok(found === end || lines.some(({ offset }) => offset === found), `${context} is no line's beginning`);
      assert.ok(probes <= 40, `${context} took ${probes} probes`);
    }
  }
});

test("where lines are of a kind, two looks at most find any of very many, and one from a landmark", async () => {
  const pick = random(5);
  const size = () => 200 + pick(600);
  const lines = linesOf(100_000, size, () => 0);
  const end = { offset: lines.at(-1)?.end ?? 0, value: lines.length };
  const known = landmarks();
  const window = { lead: 16 * 1024, window: 140 * 1024 };
  for (const { offset, value } of lines) known.add({ line: { seq: value, counts: [] }, offset }, end.offset);
  for (let turn = 0; turn < 200; turn++) {
    const target = pick(lines.length);
    const cold = await sought(lines, { target, low: { offset: 0, value: 0 }, edge: end, ...window });
    assert.ok(cold.probes <= 2, `${target}: ${cold.probes}`);
    const warm = await sought(lines, { target, ...known.around(({ seq }) => seq, target, end), ...window });
    assert.ok(warm.probes <= 1, `${target}: ${warm.probes}`);
  }
});

test("landmarks are those nearest to what is sought, and never more than a few, however much a file grows", () => {
  const known = landmarks();
  const far = { offset: Number.MAX_SAFE_INTEGER, value: Number.MAX_SAFE_INTEGER };
  const kept = (): readonly number[] => {
    const all: number[] = [];
    for (let at: Mark = known.around(({ seq }) => seq, 0, far).edge; at !== far;) {
      all.push(at.value);
      at = known.around(({ seq }) => seq, at.value, far).edge;
    }
    return all;
  };
  for (let seq = 1; seq <= 100_000; seq++) known.add({ line: { seq, counts: [] }, offset: seq * 500 }, seq * 500 + 500);
  assert.ok(kept().length > 30 && kept().length <= 128, String(kept().length));
  assert.equal(
    kept(),
    kept().toSorted((a, b) => a - b),
  );
  const { low, edge } = known.around(({ seq }) => seq, 50_000, far);
  assert.ok(low.value <= 50_000 && edge.value > 50_000);
  assert.is(low.offset, low.value * 500);
});

function linesOf(count: number, size: () => number, step: (below: number) => number): readonly Line[] {
  const lines: Line[] = [];
  let [offset, value] = [0, 0];
  while (lines.length < count) {
    const end = offset + size();
    // Lines that are off the path have the value of the one before.
    value += step(5) === 1 ? 0 : 1;
    lines.push({ offset, end, value });
    offset = end;
  }
  return lines;
}

/** What somebody who was here before may know: none, one or two true marks. */
function marksAround(
  lines: readonly Line[],
  { target, pick, end }: { target: number; pick: (below: number) => number; end: Mark },
): readonly [Mark, Mark] {
  const below = lines.filter(({ value }) => value <= target);
  const above = lines.filter(({ value }) => value > target);
  return [
    (pick(2) === 0 && below[pick(below.length)]) || { offset: 0, value: 0 },
    (pick(2) === 0 && above[pick(above.length)]) || end,
  ];
}

async function sought(
  lines: readonly Line[],
  { window, ...ground }: { target: number; low: Mark; edge: Mark; lead: number; window: number },
): Promise<{ readonly found: number; readonly probes: number }> {
  let probes = 0;
  const found = await seek({
    ...ground,
    async probe(from) {
      probes++;
      const at = firstFrom(lines, from);
      const first = lines[at];
      if (!first) return undefined;
      let last = first;
      for (let next = at; (lines[next]?.end ?? Infinity) <= from + window; next++) last = lines[next] ?? last;
      return { first, last };
    },
  });
  return { found, probes };
}

function firstFrom(lines: readonly Line[], from: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle]?.offset ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

test.run();
