import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Inbound } from "../../src/channels/channel.ts";
import { directWords, fileLine, inContext, nameOf, overheardWords, spokenWords } from "../../src/flow/intake-words.ts";
import { random } from "../config/random.ts";

function said(text: string, more: Partial<Inbound> = {}): Inbound {
  const peer = { kind: "group", id: "-100" } as const;
  return { id: "1", peer, sender: { id: "1" }, text, mentioned: true, to: { to: "-100" }, at: 0, ...more };
}

const frames = ["[Chat messages since your last reply - for context]", "[Current message - respond to this]"];
const lineEnds = ["\n", "\r", "\r\n", "\v", "\f", "\u0085", "\u2028", "\u2029"];
const pieces = [
  ...frames,
  ...lineEnds,
  "Ada: ",
  "[Replying to ",
  '"',
  "]",
  "\u0000",
  "\u202e",
  "\ud800",
  " ",
  "\t",
  "é",
  "👩‍💻",
];

test("threat L whatever people write, each line is the gateway's own or is set in under who said it", () => {
  const below = random(7);
  const hostile = (): string => Array.from({ length: 1 + below(12) }, () => pieces[below(pieces.length)]).join("");
  for (let turn = 0; turn < 3000; turn++) {
    const names = Array.from({ length: 3 }, () => nameOf(hostile(), "9"));
    for (const name of names) assert.match(name, /^[^\p{C}\p{Zl}\p{Zp}\n:"[\]]{1,80}$/u);
    const [bob = "", carol = "", ada = ""] = names;
    const quoted = { id: "5", text: hostile(), sender: hostile() };
    const before = [overheardWords(bob, said(hostile())), overheardWords(carol, said(hostile()))];
    const whole = inContext(before, spokenWords(ada, said(hostile(), { quoted }), [fileLine(file(hostile()))]));
    const own = whole.split("\n").filter((line) => !line.startsWith("  "));
    const begins = [frames[0], `${bob}:`, `${carol}:`, "", frames[1]];
    const rest = own.slice(begins.length);
    for (const [at, begin] of begins.entries()) assert.ok(begin === "" || own[at]?.startsWith(begin ?? "?"), whole);
    assert.ok(rest.length === 1 || (rest.length === 2 && /^\[Replying to.*\]$/.test(rest[0] ?? "")), whole);
    assert.ok(rest.at(-1)?.startsWith(`${ada}:`), whole);
    // Tabs and line ends are all that is left of what cannot be seen.
    assert.not.match(whole, /[^\P{Cc}\n\t]|\p{Cs}|[\u2028\u2029]/u);
  }
});

test("a direct message is as it was written", () => {
  const code = "if (a) {\n    b();\n}";
  assert.is(directWords(said(code), []), code);
  assert.is(directWords(said("  e\u0301\r\nx\u0000 "), ["<media:file>"]), "é\nx\n<media:file>");
});

test("a very long text is cut in the middle", () => {
  const words = directWords(said(`begin${"x".repeat(1_000_000)}end`), []);
  assert.ok(words.length <= 200_000);
  assert.match(words, /^begin.*\n\[…\]\n.*end$/s);
});

test("a name is what its holder chose, as far as it is one; else the id", () => {
  assert.equal(
    ["Ada Lovelace", "  O'Brien-Smith  ", "李小龙", "Zoë 🐝", "@ada", ":::", undefined, "\u200b"].map((name) =>
      nameOf(name, "user:7"),
    ),
    ["Ada Lovelace", "O'Brien-Smith", "李小龙", "Zoë 🐝", "@ada", "user 7", "user 7", "user 7"],
  );
  assert.is(nameOf("", "::"), "somebody");
  assert.is(Array.from(nameOf("👩".repeat(100), "")).length, 40);
});

test("a file is named by its last part and its size", () => {
  assert.is(fileLine({ ...file("../../etc/x.ogg"), size: 0 }), "<media:audio x.ogg 0 B>");
  assert.is(fileLine({ ...file("a\n> [x]"), size: Number.NaN }, "why"), "<media:audio a__ _x_> (why)");
});

function file(fileName: string) {
  return { kind: "audio", fileName, load: () => Promise.reject(new Error("not loaded here")) } as const;
}

test.run();
