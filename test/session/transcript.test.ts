import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import type { Entry, NewEntry, Transcript } from "../../src/session/transcript.ts";
import { assistant, fixture, main, said, user } from "./fixture.ts";

const start = async () => {
  const disk = fixture();
  const sessions = await disk.open();
  const row = await sessions.ensure(main, { agentId: "main" });
  const path = `/state/agents/main/sessions/${row.sessionId}.jsonl`;
  return { ...disk, sessions, row, path, transcript: sessions.transcript(row) };
};

test("an empty conversation has nothing in it, and no file", async () => {
  const { transcript, files, path } = await start();
  assert.is(await transcript.last(), 0);
  assert.is(await transcript.count(), 0);
  assert.equal(await transcript.page({ limit: 10 }), []);
  assert.equal(await transcript.context(), []);
  assert.is(await transcript.find("00000000"), undefined);
  assert.equal(await transcript.append([]), []);
  assert.is(await files.stat(path), undefined);
});

test("the file is what other programs of the family read: a header, then entries that name their parents", async () => {
  const { transcript, files, path, row } = await start();
  await transcript.append([{ type: "model_change", provider: "clawlet", modelId: "echo" }, user("hello")]);
  const lines = ((await files.read(path)) ?? "").trimEnd().split("\n");
  const [header, first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const { c: _c, ...head } = header ?? {};
  assert.equal(head, {
    type: "session",
    version: 3,
    id: row.sessionId,
    timestamp: "2026-11-21T00:00:00.000Z",
    cwd: "/home/me/main",
    key: main,
  });
  assert.is(first?.["parentId"], null);
  assert.match(String(first?.["id"]), /^[0-9a-f]{8}$/);
  assert.is(second?.["parentId"], first?.["id"]);
  assert.equal([first?.["seq"], second?.["seq"]], [1, 2]);
  assert.equal(second?.["message"], { role: "user", content: [{ type: "text", text: "hello" }], timestamp: 1 });
});

test("what append answers is what is read, before and after the file is opened again", async () => {
  const { transcript, sessions, row, open } = await start();
  const entries: NewEntry[] = [
    user("question"),
    { type: "thinking_level_change", thinkingLevel: "high" },
    assistant("answer", { content: [{ type: "toolCall", id: "c1", name: "read", arguments: { path: "a" } }] }),
    {
      type: "message",
      runId: "run",
      aside: true,
      message: {
        role: "toolResult",
        toolCallId: "c1",
        toolName: "read",
        content: [],
        isError: false,
        timestamp: 3,
        details: { size: 1 },
      },
    },
    { type: "compaction", summary: "so far", firstKeptEntryId: "00000000", tokensBefore: 7 },
    { type: "custom", customType: "note", data: { a: [1] } },
  ];
  const made = await transcript.append(entries);
  assert.equal(await transcript.page({ limit: 10 }), made);
  await sessions.close();
  const again = (await open()).transcript(row);
  assert.equal(await again.page({ limit: 10 }), made);
});

test("pages count back from the end, and by kind", async () => {
  const { transcript } = await start();
  await transcript.append([user("1"), { type: "model_change", provider: "p", modelId: "m" }, user("2"), user("3")]);
  const page = async (options: Parameters<Transcript["page"]>[0]) => said(await transcript.page(options));
  assert.equal(await page({ limit: 2 }), ["2", "3"]);
  assert.equal(await page({ limit: 2, offset: 1 }), ["model_change", "2"]);
  assert.equal(await page({ limit: 2, offset: 1, kinds: ["message"] }), ["1", "2"]);
  assert.equal(await page({ limit: 9, kinds: ["model_change"] }), ["model_change"]);
  assert.equal(await page({ limit: 9, offset: 4 }), []);
  assert.equal(await page({ limit: 0 }), []);
});

test("the context begins with the last compaction, then what it kept", async () => {
  const { transcript } = await start();
  const [, , kept] = await transcript.append([user("1"), assistant("2"), user("3"), assistant("4")]);
  const compaction = { type: "compaction", tokensBefore: 9 } as const;
  await transcript.append([{ ...compaction, summary: "old", firstKeptEntryId: kept?.id ?? "" }, user("5")]);
  assert.equal(said(await transcript.context()), ["compaction old", "3", "4", "5"]);
  await transcript.append([{ ...compaction, summary: "new", firstKeptEntryId: kept?.id ?? "" }]);
  assert.equal(said(await transcript.context()), ["compaction new", "3", "4", "5"]);
  await transcript.append([{ ...compaction, summary: "lost", firstKeptEntryId: "ffffffff" }, user("6")]);
  assert.equal(said(await transcript.context()), ["compaction lost", "6"]);
});

test("a rewind leaves what came after it in the file and off the path", async () => {
  const { transcript, sessions, row, open, files, path } = await start();
  const [one, two] = await transcript.append([user("1"), user("2"), user("3")]);
  await transcript.rewind(one?.id);
  assert.equal([await transcript.last(), await transcript.count()], [1, 1]);
  assert.equal(said(await transcript.page({ limit: 9 })), ["1"]);
  assert.is(await transcript.find(two?.id ?? ""), undefined);
  const [after] = await transcript.append([user("4")]);
  assert.equal(said(await transcript.page({ limit: 9 })), ["1", "4"]);
  assert.is(after?.seq, 5);
  assert.match((await files.read(path)) ?? "", /"text":"3"/);
  await sessions.close();
  const again = (await open()).transcript(row);
  assert.equal(said(await again.page({ limit: 9 })), ["1", "4"]);
  await again.rewind(undefined);
  assert.equal([await again.last(), await again.count()], [0, 0]);
  await again.append([user("5")]);
  assert.equal(said(await again.context()), ["5"]);
});

test("a rewind before a compaction makes the one before it count again", async () => {
  const { transcript } = await start();
  const [first] = await transcript.append([user("1")]);
  const [old] = await transcript.append([
    { type: "compaction", summary: "old", firstKeptEntryId: first?.id ?? "", tokensBefore: 1 },
  ]);
  const [second] = await transcript.append([user("2")]);
  await transcript.append([
    { type: "compaction", summary: "new", firstKeptEntryId: second?.id ?? "", tokensBefore: 1 },
    user("3"),
  ]);
  await transcript.rewind(second?.id);
  assert.equal(said(await transcript.context()), ["compaction old", "1", "2"]);
  await transcript.rewind(old?.parentId ?? undefined);
  assert.equal(said(await transcript.context()), ["1"]);
});

test("a rewind to what is not in the conversation is refused, and so are names that are taken", async () => {
  const { transcript } = await start();
  await transcript.append([user("1")]);
  const code = (promise: Promise<unknown>) => promise.catch((error: unknown) => Failure.from(error).code);
  assert.is(await code(transcript.rewind("ffffffff")), "not-found");
  assert.is(await code(transcript.rewind("../../x")), "not-found");
  assert.is(await code(transcript.append([{ ...user("2"), id: "x" }])), "invalid-request");
  assert.is(await code(transcript.append([{ type: "custom", customType: "rewind", data: {} }])), "invalid-request");
  assert.equal(said(await transcript.page({ limit: 9 })), ["1"]);
});

test("an entry with an id of its caller's is found by it", async () => {
  const { transcript } = await start();
  await transcript.append([user("1"), { ...user("2"), id: "0badcafe" }, user("3")]);
  assert.equal((await transcript.find("0badcafe"))?.seq, 2);
});

test("whatever is appended and rewound, every question is answered as a list in memory would", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const { transcript: first, open, row, sessions } = await start();
    const random = randomFrom(seed);
    let current = sessions;
    let transcript = first;
    let path: Entry[] = [];
    for (let step = 0; step < 60; step++) {
      const choice = random(10);
      const target = path[random(path.length)];
      if (choice === 0) {
        await transcript.rewind(target?.id);
        path = target ? path.slice(0, path.indexOf(target) + 1) : [];
      } else if (choice === 1) {
        await current.close();
        current = await open();
        transcript = current.transcript(row);
      } else
        path.push(
          ...(await transcript.append(
            Array.from({ length: random(choice === 2 ? 120 : 4) }, () => anEntry(random, path)),
          )),
        );
      const context = `seed ${seed}, step ${step}`;
      const spoken = path.filter(({ type }) => type === "message" || type === "compaction");
      assert.is(await transcript.last(), path.at(-1)?.seq ?? 0, context);
      assert.is(await transcript.count(), spoken.length, context);
      const [limit, offset] = [random(30) + 1, random(path.length + 2)];
      const end = Math.max(path.length - offset, 0);
      assert.equal(await transcript.page({ limit, offset }), path.slice(Math.max(end - limit, 0), end), context);
      assert.equal(await transcript.page({ limit, kinds: ["message", "compaction"] }), spoken.slice(-limit), context);
      const seq = random((path.at(-1)?.seq ?? 0) + 2);
      const after = path.filter((entry) => entry.seq > seq);
      assert.equal(await transcript.after(seq), after, context);
      assert.equal(await transcript.after(seq, { limit: 3 }), after.slice(0, 3), context);
      if (target) assert.equal(await transcript.find(target.id), path.includes(target) ? target : undefined, context);
      assert.equal(await transcript.context(), contextOf(path), context);
    }
    await current.close();
  }
});

test("hardly any of a long file is read for a page, wherever it is", async () => {
  const { transcript, sessions, open, row, files } = await start();
  const text = (number: number) => `${number} ${"x".repeat((number * 7919) % 1500)}`;
  for (let made = 0; made < 20_000; made += 1000)
    await transcript.append(Array.from({ length: 1000 }, (_, step) => user(text(made + step))));
  await sessions.close();
  const again = (await open()).transcript(row);
  let reads = 0;
  files.before = (operation) => void (reads += operation === "readRange" ? 1 : 0);
  async function readsOfPage(offset: number): Promise<number> {
    reads = 0;
    const [oldest] = await again.page({ limit: 10, offset });
    assert.ok(said(oldest ? [oldest] : [])[0]?.startsWith(`${Math.max(19_990 - offset, 0)} `));
    return reads;
  }
  await readsOfPage(0);
  for (const offset of [1, 5000, 12_345, 19_990]) assert.ok((await readsOfPage(offset)) <= 3, String(offset));
  // Once the file is known, one read is enough.
  for (let offset = 500; offset < 19_500; offset += 100) await readsOfPage(offset);
  for (const offset of [777, 5432, 12_321, 19_111]) assert.is(await readsOfPage(offset), 1, String(offset));
});

test("a line that is damaged is left out, kept aside once, and said in the log", async () => {
  const { transcript, sessions, open, row, files, path, logged } = await start();
  const made = await transcript.append(
    Array.from({ length: 300 }, (_, number) => user(`${number} ${"x".repeat(500)}`)),
  );
  await sessions.close();
  const text = (await files.read(path)) ?? "";
  files.put(path, text.replace(/"(7|150|299) x/g, '"$1 y'));
  for (let turn = 0; turn < 2; turn++) {
    const current = await open();
    const again = current.transcript(row);
    const read = await again.page({ limit: 400 });
    assert.is(read.length, 297);
    assert.is(await again.find(made[150]?.id ?? ""), undefined);
    assert.is((await again.find(made[151]?.id ?? ""))?.seq, 152);
    await current.close();
  }
  const kept = ((await files.read(`${path}.damaged`)) ?? "").trimEnd().split("\n");
  assert.is(kept.length, 3);
  const warnings = logged.filter(({ level }) => level === "warn");
  assert.ok(warnings.every(({ fields }) => String(fields["log"]).includes(row.sessionId)));
  const current = await open();
  const [next] = await current.transcript(row).append([user("after")]);
  assert.is(next?.seq, 301, "the place of a damaged line is not given away again");
});

test("lines of nothing but damage do not keep a session from being opened and written", async () => {
  const { row, sessions, open, files, path } = await start();
  await sessions.close();
  for (const bytes of [
    "\n\n\n",
    "not json\n",
    "{}\n",
    '{"type":"message"}\n',
    "\u0000".repeat(100_000),
    "[]\n1\nnull\n",
  ]) {
    files.put(path, bytes);
    const current = await open();
    const transcript = current.transcript(row);
    assert.equal(said(await transcript.page({ limit: 9 })), []);
    await transcript.append([user("works")]);
    assert.equal(said(await transcript.context()), ["works"]);
    await current.close();
  }
});

test("threat M: an id that is no plain name never becomes a path", async () => {
  const { sessions } = await start();
  for (const id of ["../../etc/passwd", "a/b", "..", "", ".hidden", "C:\\x", "con", "a\u0000", "x".repeat(129)])
    for (const of of [
      { sessionId: id, agentId: "main" },
      { sessionId: "plain", agentId: id },
    ]) {
      const error = await sessions
        .transcript(of)
        .append([user("x")])
        .catch((thrown: unknown) => thrown);
      assert.is(Failure.from(error).code, "invalid-request", JSON.stringify(of));
      assert.throws(() => sessions.pathOf(of));
    }
});

test("more conversations than there are handles stay usable", async () => {
  const { sessions } = await start();
  const rows = await Promise.all(
    Array.from({ length: 150 }, (_, number) => sessions.ensure(`agent:main:${number}`, { agentId: "main" })),
  );
  await Promise.all(rows.map((row, number) => sessions.transcript(row).append([user(`first ${number}`)])));
  await Promise.all(rows.map((row, number) => sessions.transcript(row).append([user(`second ${number}`)])));
  for (const [number, row] of rows.entries())
    assert.equal(said(await sessions.transcript(row).page({ limit: 9 })), [`first ${number}`, `second ${number}`]);
});

function contextOf(path: readonly Entry[]): readonly Entry[] {
  const at = path.findLastIndex(({ type }) => type === "compaction");
  const newest = path[at];
  if (newest?.type !== "compaction") return path;
  const kept = path.findIndex(({ id }) => id === newest.firstKeptEntryId);
  const rest = path.slice(kept < 0 || kept > at ? at : kept).filter(({ type }) => type !== "compaction");
  return [newest, ...rest];
}

function anEntry(random: (below: number) => number, path: readonly Entry[]): NewEntry {
  const kept = path[random(path.length)]?.id ?? "ffffffff";
  switch (random(12)) {
    case 0:
      return { type: "compaction", summary: "s", firstKeptEntryId: kept, tokensBefore: random(9) };
    case 1:
      return { type: "model_change", provider: "p", modelId: "m" };
    case 2:
      return { type: "custom", customType: "c", data: { number: random(9) } };
    case 3:
      return user("long ".repeat(random(8000)));
    default:
      return random(2) === 0 ? user("é".repeat(random(300))) : assistant("x".repeat(random(300)));
  }
}

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return below <= 0 ? 0 : Math.floor((state / 2 ** 32) * below);
  };
}

test.run();
