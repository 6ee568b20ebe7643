import { test } from "uvu";
import * as assert from "uvu/assert";
import { chunkDefaults, createChunker, type ChunkerOptions } from "../../src/flow/chunk.ts";

function chunks(text: string, options: ChunkerOptions, step = text.length): readonly string[] {
  const chunker = createChunker(options);
  const out: string[] = [];
  for (let at = 0; at < text.length; at += Math.max(step, 1)) out.push(...chunker.push(text.slice(at, at + step)));
  return [...out, ...chunker.end()];
}

const small: ChunkerOptions = { min: 40, max: 80, breakAt: "paragraph" };
const words = (count: number, word = "word") => Array.from({ length: count }, () => word).join(" ");

test("a short answer is one piece, an empty one is none", () => {
  assert.equal(chunks("hello", small), ["hello"]);
  assert.equal(chunks(" \n\n ", small), []);
  assert.equal(chunks("", small), []);
});

test("a piece ends with the first paragraph that makes it long enough, before more comes", () => {
  const chunker = createChunker(small);
  assert.equal(chunker.push("short\n\n"), []);
  assert.equal(chunker.push(`${words(9)}\n`), []);
  assert.equal(chunker.push("\n"), [`short\n\n${words(9)}`]);
  assert.equal(chunker.push("\n\nrest"), []);
  assert.equal(chunker.end(), ["rest"]);
});

test("without a paragraph it ends at a line, a sentence, a space, or anywhere", () => {
  const tail = words(20);
  assert.is(chunks(`${words(8)}. ${words(1)}\n${tail}`, small)[0], `${words(8)}. word`);
  assert.is(chunks(`${words(9)}! (Yes.) ${tail}`, small)[0], `${words(9)}! (Yes.)`);
  assert.is(chunks(`今日は。${"字".repeat(50)}。${"字".repeat(80)}`, small)[0], `今日は。${"字".repeat(50)}。`);
  assert.is(chunks(words(40), small)[0], words(16));
  assert.is(chunks("x".repeat(200), small)[0], "x".repeat(80));
  assert.is(chunks(`tiny ${"x".repeat(200)}`, small)[0], "tiny");
});

test("where lines or sentences will do, a piece ends with them as soon as it is long enough", () => {
  const text = `${words(9)}. ${words(3)}\n${words(9)}`;
  assert.is(chunks(text, { ...small, breakAt: "newline" })[0], `${words(9)}. ${words(3)}`);
  assert.is(chunks(text, { ...small, breakAt: "sentence" })[0], `${words(9)}.`);
});

test("a code block that fits is never cut, blank lines in it or not", () => {
  const block = "```ts\nconst a = 1;\n\nconst b = 2;\n```";
  assert.equal(chunks(`${words(8)}\n\n${block}\n\nafter ${words(6)}`, small), [
    `${words(8)}\n\n${block}`,
    `after ${words(6)}`,
  ]);
});

test("a code block that does not fit is closed and opened again with its info string", () => {
  const line = "let x = 'twenty-four';";
  const out = chunks(`~~~~js title="a"\n${Array.from({ length: 6 }, () => line).join("\n")}\n~~~~\nend`, small);
  assert.equal(out, [
    `~~~~js title="a"\n${line}\n${line}\n~~~~`,
    `~~~~js title="a"\n${line}\n${line}\n~~~~`,
    `~~~~js title="a"\n${line}\n${line}\n~~~~\nend`,
  ]);
});

test("a block that ends where a piece did is not opened again", () => {
  const line = "x".repeat(71);
  assert.equal(chunks(`\`\`\`\n${line}\n\`\`\`\n\nafter`, small), [`\`\`\`\n${line}\n\`\`\``, "after"]);
});

test("indentation in a block that is opened again stays", () => {
  const out = chunks(`\`\`\`\n${"    indented line\n".repeat(10)}\`\`\``, small);
  assert.ok(out.length > 2);
  for (const piece of out) assert.match(piece, /^```\n( {4}indented line\n)+```$/);
});

test("a fence too long for a piece is text like any other", () => {
  for (const text of [`${"`".repeat(500)}\ncode\n`, `\`\`\`${"i".repeat(500)}\n${"code ".repeat(50)}\n\`\`\``])
    for (const piece of chunks(text, small)) assert.ok(piece.length <= 80, piece);
});

test("a size that no text fits comes to an end all the same", () => {
  for (const max of [1, 2, 5, 30]) {
    const out = chunks("```ts\n🦞 a 🦞🦞\n```\nend", { min: 1, max, breakAt: "paragraph" });
    assert.ok(out.length > 0 && out.every((piece) => piece.length <= max));
  }
});

/** Repeatable random numbers below `below`. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const alphabet = [
  "word",
  "longerword",
  "🦞",
  "🦞🦞🦞",
  "sentence.",
  "What?",
  "。字",
  "x".repeat(90),
  "`code`",
  "  ",
  "é",
];

function randomText(next: (below: number) => number): string {
  let open: string | undefined;
  const line = (): string => {
    const roll = next(12);
    if (roll === 0) return "";
    if (roll === 1 && open === undefined) return (open = "`".repeat(3 + next(2))) + ["", "ts", "sh x=1"][next(3)];
    if (roll <= 3 && open !== undefined) {
      const closing = open;
      open = undefined;
      return closing;
    }
    return Array.from({ length: 1 + next(14) }, () => alphabet[next(alphabet.length)]).join(" ");
  };
  return Array.from({ length: next(40) }, line).join("\n");
}

test("property: no piece is too long or cuts a character, nothing is lost, and every block is closed", () => {
  const next = dice(42);
  const bare = (text: string) => text.replace(/^ {0,3}(`{3,}).*$/gm, "").replace(/\s+/g, "");
  for (let round = 0; round < 1500; round++) {
    const text = randomText(next);
    const max = 64 + next(200);
    const breakAt = (["paragraph", "newline", "sentence"] as const)[next(3)] ?? "paragraph";
    const options = { min: next(max + 20), max, breakAt };
    const out = chunks(text, options);
    const about = JSON.stringify({ text, options, out }, undefined, 1);
    assert.is(bare(out.join("\n")), bare(text), about);
    for (const [index, piece] of out.entries()) {
      assert.ok(piece.length <= max, about);
      assert.ok(piece.trim() !== "", about);
      assert.not.match(piece, /\p{Surrogate}/u, about);
      const isOpen = piece.split("\n").reduce<string | undefined>((open, line) => {
        const marker = /^`{3,}/.exec(line)?.[0];
        if (marker === undefined) return open;
        return open === undefined ? marker : line === marker && marker.length >= open.length ? undefined : open;
      }, undefined);
      if (index < out.length - 1) assert.is(isOpen, undefined, about);
    }
  }
});

test("property: the pieces are the same however the text comes", () => {
  const next = dice(7);
  for (let round = 0; round < 300; round++) {
    const text = randomText(next);
    const options: ChunkerOptions = {
      ...small,
      breakAt: (["paragraph", "newline", "sentence"] as const)[round % 3] ?? "newline",
    };
    const whole = chunks(text, options);
    for (const step of [1, 2, 7, 50]) assert.equal(chunks(text, options, step), whole, JSON.stringify(text));
  }
});

test("a very long answer at once is taken in steps", () => {
  const text = "all one line ".repeat(100_000);
  const out = chunks(text, chunkDefaults);
  assert.ok(out.every((piece) => piece.length <= 1200));
  assert.is(out.join(" "), text.trim());
});

test.run();
