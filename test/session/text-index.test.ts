import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import type { SearchIndex, SearchText } from "../../src/session/search.ts";
import { openTextIndex } from "../../src/session/text-index.ts";
import type { Logs } from "../../src/store/log.ts";
import { createMemoryLogs } from "../../src/store/memory-log.ts";
import { random } from "../config/random.ts";
import { createFakeClock, startOfTime } from "../support/fake-clock.ts";

const everyone = (): boolean => true;
const log = createLogger(() => 0, []);
const small = { segment: 300 * 1024, total: 1200 * 1024 };

async function open(logs: Logs = createMemoryLogs(), limits?: { segment: number; total: number }) {
  const clock = createFakeClock();
  const index = await openTextIndex({ logs, clock, log, ...(limits ? { limits } : {}) });
  return { logs, clock, index };
}

let entries = 0;
function said(text: string, more: Partial<SearchText> = {}): SearchText {
  return { sessionId: "s1", entryId: `e${++entries}`, role: "user", timestamp: startOfTime, text, ...more };
}

async function find(index: SearchIndex, text: string, limit = 200): Promise<readonly string[]> {
  const { hits } = await index.query({ text, limit, visible: everyone, deadlineMs: 60_000 });
  return hits.map(({ entryId }) => entryId);
}

test("a text is found before it is written, when it is written, and by the next process", async () => {
  const { logs, clock, index } = await open();
  const text = said("The quick brown fox", { role: "assistant" });
  index.add([text]);
  const before = await index.query({ text: "BROWN quick", limit: 10, visible: everyone });
  assert.is(before.truncated, false);
  assert.is(before.hits.length, 1);
  const { score, ...hit } = before.hits[0] ?? { score: 0 };
  assert.ok(score >= 2);
  const { text: snippet, ...rest } = text;
  assert.equal(hit, { ...rest, snippet });

  await clock.advance(1000);
  assert.equal(await find(index, "brown"), [text.entryId]);
  await index.close();
  const again = await open(logs);
  assert.equal(await find(again.index, "brown"), [text.entryId]);
});

test("all words of a query must be there, in any order, as parts of words too", async () => {
  const { index } = await open();
  index.add([said("alpha beta gamma", { entryId: "all" }), said("alpha gamma", { entryId: "some" })]);
  assert.equal(await find(index, "gamma  beta"), ["all"]);
  assert.equal(await find(index, "lph amm"), ["some", "all"]);
  assert.equal(await find(index, "alpha delta"), []);
  assert.equal(await find(index, '  "" \\ '), []);
});

test("case, accents and width do not matter", async () => {
  const { index } = await open();
  index.add([
    said("Ein Café in der Hauptstraße", { entryId: "de" }),
    said("ＦＵＬＬ ｗｉｄｔｈ", { entryId: "wide" }),
    said("ὁ φίλος ΟΔΟΣ", { entryId: "el" }),
    said("İstanbul", { entryId: "tr" }),
  ]);
  await index.flush();
  for (const [query, expected] of [
    ["CAFE", "de"],
    ["cafe\u0301", "de"],
    ["HAUPTSTRASSE", "de"],
    ["full WIDTH", "wide"],
    ["φιλος οδός", "el"],
    ["istanbul", "tr"],
  ] as const)
    assert.equal(await find(index, query), [expected], query);
});

test("Chinese, Japanese and Korean words are found, of two characters and of one too", async () => {
  const { index } = await open();
  index.add([
    said("今天天气很好，我们去公园吧", { entryId: "zh" }),
    said("東京タワーへ行きたいです", { entryId: "ja" }),
    said("안녕하세요 세계", { entryId: "ko" }),
    ...Array.from({ length: 2000 }, (_, n) => said(`filler number ${n} of some length`, { entryId: `f${n}` })),
  ]);
  await index.flush();
  for (const [query, expected] of [
    ["天气", "zh"],
    ["公园", "zh"],
    ["好", "zh"],
    ["東京タワー", "ja"],
    ["ﾀﾜｰ", "ja"],
    ["세계", "ko"],
    ["안녕하세요", "ko"],
  ] as const)
    assert.equal(await find(index, query), [expected], query);
});

test("of several the one with the word by itself, then the newest comes first", async () => {
  const { index } = await open();
  const day = 24 * 3600 * 1000;
  index.add([
    said("catalogue", { entryId: "part" }),
    said("the cat", { entryId: "old", timestamp: startOfTime - 40 * day }),
    said("a cat", { entryId: "new", timestamp: startOfTime - day }),
    said("cat, cat and cat", { entryId: "often", timestamp: startOfTime - day }),
  ]);
  assert.equal(await find(index, "cat"), ["often", "new", "old", "part"]);
  assert.equal(await find(index, "cat", 1), ["often"]);
});

test("a long text is shown by the words around the match", async () => {
  const { index } = await open();
  const filler = (word: string): string => Array.from({ length: 60 }, () => word).join(" ");
  index.add([said(`${filler("before")} the Straße needle\n\tin <b>markup</b> ${filler("after")}`)]);
  const { hits } = await index.query({ text: "needle", limit: 1, visible: everyone });
  const snippet = hits[0]?.snippet ?? "";
  assert.match(snippet, /^…before.* the Straße needle in <b>markup<\/b> after .*after…$/);
  assert.ok(snippet.length <= 162, String(snippet.length));
});

test("a snippet never cuts a character in two", async () => {
  const { index } = await open();
  index.add([said(`${"😀".repeat(300)} needle ${"🎉".repeat(300)}`)]);
  const { hits } = await index.query({ text: "needle", limit: 1, visible: everyone });
  assert.match(hits[0]?.snippet ?? "", /^…😀+ needle 🎉+…$/u);
});

test("threat S what is not visible is not found", async () => {
  const { index } = await open();
  index.add([said("secret plan", { sessionId: "mine", entryId: "a" }), said("secret plan", { sessionId: "other" })]);
  const ask = () => index.query({ text: "secret", limit: 9, visible: (id) => id === "mine" });
  assert.equal(
    (await ask()).hits.map(({ entryId }) => entryId),
    ["a"],
  );
  await index.flush();
  assert.equal(
    (await ask()).hits.map(({ entryId }) => entryId),
    ["a"],
  );
});

test("a text that was added twice is shown once", async () => {
  const { index } = await open();
  const text = said("only once");
  index.add([text]);
  await index.flush();
  index.add([text]);
  assert.equal(await find(index, "once"), [text.entryId]);
  await index.flush();
  assert.equal(await find(index, "once"), [text.entryId]);
});

test("what a session said is forgotten at once, and what it says afterwards is found", async () => {
  const { logs, clock, index } = await open();
  index.add([said("zebra one", { entryId: "disk" }), said("zebra kept", { sessionId: "s2", entryId: "kept" })]);
  await index.flush();
  index.add([said("zebra two", { entryId: "memory" })]);
  index.forget("s1");
  assert.equal(await find(index, "zebra"), ["kept"]);
  index.add([said("zebra three", { entryId: "after" })]);
  assert.equal((await find(index, "zebra")).toSorted(), ["after", "kept"]);
  await clock.advance(1000);
  assert.equal((await find(index, "zebra")).toSorted(), ["after", "kept"]);
  await index.close();
  const again = await open(logs);
  assert.equal((await find(again.index, "zebra")).toSorted(), ["after", "kept"]);
});

test("a rare word among 200,000 messages is found wherever it is", async () => {
  const { logs, index } = await open();
  const pick = random(7);
  const vocabulary = Array.from({ length: 4000 }, (_, n) => `w${(n * 7919).toString(36)}x`);
  const needles = new Map([0, 1234, 99_999, 150_000, 199_999].map((at) => [at, `needle${at}needle`]));
  for (let at = 0; at < 200_000; at++) {
    const words = Array.from({ length: 8 }, () => vocabulary[pick(vocabulary.length)]).join(" ");
    index.add([said(`${words} ${needles.get(at) ?? ""}`, { entryId: `m${at}`, sessionId: `s${at % 500}` })]);
    if (at % 20_000 === 0) await index.flush();
  }
  await index.close();
  const again = await open(logs);
  for (const [at, needle] of needles) assert.equal(await find(again.index, needle), [`m${at}`]);
  assert.equal(await find(again.index, "needle77needle"), []);
  assert.is((await find(again.index, "w6")).length, 200);
});

test("it finds what a plain scan finds, whatever was added, forgotten, written and opened again", async () => {
  const limits = { segment: 80 * 1024, total: 100 * 1024 * 1024 };
  for (let seed = 1; seed <= 5; seed++) {
    const pick = random(seed);
    const syllables = ["ba", "ré", "ミ", "天", "x", "ss", "ß", "Ω", "o", '"', "\\", "-", "ﬁ", "İ", "q"];
    const word = (): string => Array.from({ length: 1 + pick(4) }, () => syllables[pick(syllables.length)]).join("");
    const logs = createMemoryLogs();
    let { index } = await open(logs, limits);
    let model: { readonly entryId: string; readonly sessionId: string; readonly plain: string }[] = [];
    for (let step = 0; step < 50; step++) {
      const sessionId = `s${pick(8)}`;
      const act = pick(10);
      if (act === 0) {
        index.forget(sessionId);
        model = model.filter((text) => text.sessionId !== sessionId);
      } else if (act === 1) await index.flush();
      else if (act === 2) {
        await index.close();
        ({ index } = await open(logs, limits));
      } else {
        const texts = Array.from({ length: 1 + pick(100) }, () => {
          const text = Array.from({ length: 1 + pick(30) }, word).join(" ");
          return said(text, { sessionId, timestamp: startOfTime - pick(1000) });
        });
        index.add(texts);
        model.push(...texts.map(({ entryId, text }) => ({ entryId, sessionId, plain: plain(text) })));
      }
      const query = pick(2) === 0 ? `${word()} ${word()}` : `q${word()}`;
      const wanted = plain(query)
        .split(/[\s"\\]+/)
        .filter((each) => each !== "");
      const expected = model.filter((text) => wanted.length > 0 && wanted.every((each) => text.plain.includes(each)));
      const found = await find(index, query);
      // So many are a choice, and which is not the point here.
      if (expected.length >= 200) assert.is(found.length, 200);
      else assert.equal(found.toSorted(), expected.map(({ entryId }) => entryId).toSorted(), `seed ${seed}: ${query}`);
    }
  }
});

function plain(text: string): string {
  const bare = text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  return bare.normalize("NFC").toUpperCase().toLowerCase().replaceAll("ς", "σ");
}

test("segments that are mostly forgotten are made anew, and take less room", async () => {
  const logs = measuredLogs();
  const { index } = await open(logs, small);
  const texts = (sessionId: string): SearchText[] =>
    Array.from({ length: 2000 }, (_, n) =>
      said(`${sessionId} says unique${n} 漢字漢字漢字漢字漢字漢字`, { sessionId }),
    );
  for (const id of ["s1", "s2", "s3", "s4"]) index.add(texts(id));
  await index.flush();
  const before = logs.bytes();
  for (const id of ["s1", "s2", "s4"]) index.forget(id);
  await index.flush();
  assert.ok(logs.bytes() < before / 2);
  assert.is((await find(index, "unique1999")).length, 1);
  await index.close();
  const again = await open(logs, small);
  assert.is((await find(again.index, "unique1999")).length, 1);
  assert.equal(await find(again.index, "s2"), []);
});

test("a segment is not taken away from under a query", async () => {
  const memory = createMemoryLogs();
  let gate: Promise<void> | undefined;
  const logs: Logs = {
    ...memory,
    async open(key) {
      const log = await memory.open(key);
      return {
        get size() {
          return log.size;
        },
        append: (lines) => log.append(lines),
        async read(start, end) {
          const waitsFor = gate;
          gate = undefined;
          await waitsFor;
          return log.read(start, end);
        },
        close: () => log.close(),
      };
    },
  };
  const { index } = await open(logs, small);
  index.add([said("kept word1 of the like", { sessionId: "kept", entryId: "kept" })]);
  index.add(Array.from({ length: 3000 }, (_, n) => said(`gone word${n} of the like`, { sessionId: "gone" })));
  await index.flush();
  let letGo = (): void => undefined;
  gate = new Promise((resolve) => {
    letGo = resolve;
  });
  // It has begun to read when the segment is made anew.
  const asked = index.query({ text: "word1", limit: 5, visible: (id) => id === "kept" });
  index.forget("gone");
  await index.flush();
  letGo();
  const { hits } = await asked;
  assert.equal(
    hits.map(({ entryId }) => entryId),
    ["kept"],
  );
  assert.equal(await find(index, "word1"), ["kept"]);
  index.add([said("later")]);
  await index.close();
  const left = await memory.open("search/texts-1.jsonl");
  assert.is(left.size, 0, "it is removed when nobody reads it any more");
});

test("filters of texts that were lost do not stand for what is written in their place", async () => {
  const logs = createMemoryLogs();
  const first = await open(logs);
  first.index.add(Array.from({ length: 3000 }, (_, n) => said(`message word${n} of some length to fill blocks`)));
  await first.index.close();
  await edit(logs, "search/texts-1.jsonl", (lines) => lines.slice(0, 10));
  const second = await open(logs);
  second.index.add(Array.from({ length: 3000 }, (_, n) => said(`other needle${n} of some length to fill blocks`)));
  await second.index.close();
  const third = await open(logs);
  for (const n of [0, 700, 1500, 2999])
    assert.is((await find(third.index, `needle${n}`)).length > 0, true, `needle${n}`);
  assert.is((await find(third.index, "word9")).length, 1);
});

test("threat H the index has a bounded size: the oldest texts go first", async () => {
  const logs = measuredLogs();
  const { index } = await open(logs, { segment: 100 * 1024, total: 300 * 1024 });
  for (let round = 0; round < 20; round++) {
    index.add(Array.from({ length: 500 }, () => said(`round${round}round ${"filler ".repeat(20)}`)));
    await index.flush();
  }
  assert.ok(logs.bytes() < 1_000_000);
  assert.equal(await find(index, "round0round"), []);
  assert.is((await find(index, "round19round")).length, 200);
});

test("threat H a query has a bounded number of words, and a text a bounded length", async () => {
  const { index } = await open();
  index.add([said(`start ${"padding ".repeat(20_000)} end`, { entryId: "long" })]);
  assert.equal(await find(index, "start padding"), ["long"]);
  assert.equal(await find(index, "end"), []);
  assert.equal(await find(index, `start ${Array.from({ length: 500 }, (_, n) => `p${n % 10}`).join(" ")}`), []);
});

test("a query that comes to its deadline says so", async () => {
  const { index } = await open();
  index.add(Array.from({ length: 5000 }, (_, n) => said(`message ${n} of some length to fill blocks`)));
  await index.flush();
  const { hits, truncated } = await index.query({ text: "xy", limit: 5, visible: everyone, deadlineMs: 0 });
  assert.equal({ hits, truncated }, { hits: [], truncated: true });
});

test("damaged lines and damaged filters are passed over, and filters made anew", async () => {
  const logs = createMemoryLogs();
  const first = await open(logs);
  first.index.add(Array.from({ length: 3000 }, (_, n) => said(`message word${n} of some length to fill blocks`)));
  first.index.add([said("needle", { entryId: "needle" })]);
  await first.index.close();
  await edit(logs, "search/blocks-1.jsonl", (lines) => ["{", ...lines.slice(1), '["block",0,1e99,0,"AA"]', "[]"]);
  await edit(logs, "search/texts-1.jsonl", (lines) =>
    lines.map((line, at) => (at === 10 ? line.slice(0, -9) + "\u0000********" : line)),
  );
  const second = await open(logs);
  assert.equal(await find(second.index, "needle"), ["needle"]);
  assert.is((await find(second.index, "word2999")).length, 1);
  assert.is((await find(second.index, "word10")).length, 111 - 1 - 10 + 10);
  second.index.add([said("later needle", { entryId: "later" })]);
  await second.index.close();
  const third = await open(logs);
  assert.equal((await find(third.index, "needle")).toSorted(), ["later", "needle"]);
});

test("a damaged catalogue makes an empty index that says that nothing is in it", async () => {
  const logs = createMemoryLogs();
  const first = await open(logs);
  first.index.add([said("lost")]);
  await first.index.close();
  await edit(logs, "search/segments.jsonl", () => ["garbage"]);
  const { index } = await open(logs);
  assert.is(index.syncedTo, 0);
  index.add([said("found again", { entryId: "again" })]);
  await index.flush();
  assert.equal(await find(index, "again"), ["again"]);
  assert.equal(await find(index, "lost"), []);
});

test("syncedTo never passes what is not on the disk, and is known to the next process", async () => {
  const { logs, clock, index } = await open();
  assert.is(index.syncedTo, 0);
  index.add([said("first", { timestamp: startOfTime - 5000 })]);
  assert.is(index.syncedTo, 0);
  await index.flush();
  const synced = index.syncedTo;
  assert.ok(synced > 0 && synced <= startOfTime - 5000);
  index.add([said("old", { timestamp: 1000 }), said("future", { timestamp: startOfTime * 2 })]);
  assert.ok(index.syncedTo <= 1000);
  await clock.advance(1000);
  assert.ok(index.syncedTo >= synced && index.syncedTo <= clock.now());
  await index.close();
  const again = await open(logs);
  assert.ok(again.index.syncedTo >= synced && again.index.syncedTo <= again.clock.now());
});

test("a disk that refuses is said once, and everything is written when it takes again", async () => {
  const memory = createMemoryLogs();
  let full = true;
  const logs: Logs = {
    ...memory,
    async replace(key, lines) {
      if (full) throw new Error("no space left on device");
      await memory.replace(key, lines);
    },
  };
  const clock = createFakeClock();
  const records: LogRecord[] = [];
  const index = await openTextIndex({ logs, clock, log: createLogger(() => 0, [(record) => records.push(record)]) });
  index.add([said("patient", { entryId: "a" })]);
  for (let second = 0; second < 5; second++) await clock.advance(1000);
  assert.is(records.length, 1);
  assert.match(records[0]?.message ?? "", /search index cannot be written/);
  assert.equal(await find(index, "patient"), ["a"]);
  full = false;
  await clock.advance(1000);
  await index.close();
  assert.is(clock.armed, 0);
  const again = await open(memory);
  assert.equal(await find(again.index, "patient"), ["a"]);
});

test("threat H what waits for a disk that refuses is bounded, and syncedTo stays before what was dropped", async () => {
  const memory = createMemoryLogs();
  const logs: Logs = { ...memory, replace: () => Promise.reject(new Error("no space left on device")) };
  const { index } = await open(logs);
  index.add([said("first of all", { entryId: "first", timestamp: 1_000_000 })]);
  const long = "x".repeat(8000);
  for (let n = 0; n < 5000; n++) index.add([said(long)]);
  assert.equal(await find(index, "first"), []);
  assert.ok(index.syncedTo <= 1_000_000);
});

async function edit(logs: Logs, key: string, change: (lines: string[]) => string[]): Promise<void> {
  const file = await logs.open(key);
  const lines = new TextDecoder()
    .decode(await file.read(0, file.size))
    .trimEnd()
    .split("\n");
  await file.close();
  await logs.replace(key, change(lines));
}

/** Logs in memory that know how much they hold. */
function measuredLogs(): Logs & { bytes(): number } {
  const inner = createMemoryLogs();
  const sizes = new Map<string, () => number>();
  return {
    ...inner,
    async open(key) {
      const log = await inner.open(key);
      sizes.set(key, () => log.size);
      return log;
    },
    async remove(key) {
      await inner.remove(key);
      sizes.delete(key);
    },
    bytes: () => [...sizes.values()].reduce((sum, size) => sum + size(), 0),
  };
}

test.run();
