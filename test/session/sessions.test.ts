import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { settle } from "../support/fake-clock.ts";
import { createStandbyLogs, type StateOwner } from "../../src/store/standby.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import type { SearchIndex, SearchText } from "../../src/session/search.ts";
import type { SessionChange, Sessions } from "../../src/session/sessions.ts";
import { aside, assistant, fixture, main, said, user } from "./fixture.ts";

const code = (promise: Promise<unknown>) => promise.catch((error: unknown) => Failure.from(error).code);

test("a session is made once, however many ask for it at the same time", async () => {
  const { open } = fixture();
  const sessions = await open();
  const changes: SessionChange[] = [];
  sessions.onChange((change) => changes.push(change));
  const rows = await Promise.all(Array.from({ length: 10 }, () => sessions.ensure(main, { agentId: "main" })));
  assert.is(new Set(rows.map(({ sessionId }) => sessionId)).size, 1);
  assert.equal(
    changes.map(({ kind, reason }) => [kind, reason]),
    [["created", "create"]],
  );
  assert.is(sessions.size, 1);
  assert.is(sessions.bySessionId(rows[0]?.sessionId ?? ""), rows[0]);
});

test("what was resolved is there after the process is gone", async () => {
  const { open, clock } = fixture();
  const sessions = await open();
  await sessions.ensure(main, { agentId: "main", label: "first" });
  clock.jump(1000);
  const row = await sessions.change(main, ({ label }) => ({ label: `${label} and more`, pinnedAt: 5 }), "patch");
  assert.is(row.label, "first and more");
  assert.is(row.updatedAt, row.createdAt + 1000);
  await sessions.ensure("agent:main:gone", { agentId: "main" });
  await sessions.delete("agent:main:gone");
  const again = await open();
  assert.equal(plain(again.get(main)), plain(row));
  assert.is(again.size, 1);
});

test("changes of one session see each other, and one that throws changes nothing", async () => {
  const sessions = await fixture().open();
  await sessions.ensure(main, { agentId: "main" });
  const add = () => sessions.change(main, ({ inputTokens }) => ({ inputTokens: inputTokens + 1 }), "count");
  await Promise.all(Array.from({ length: 20 }, add));
  assert.is(sessions.get(main)?.inputTokens, 20);
  const failed = sessions.change(
    main,
    () => {
      throw new Failure("invalid-request", "no");
    },
    "fail",
  );
  assert.is(await code(failed), "invalid-request");
  await add();
  assert.is(sessions.get(main)?.inputTokens, 21);
});

test("a note is seen at once, written soon, and not lost by a change that was under way", async () => {
  const { open, clock, files } = fixture();
  const sessions = await open();
  await sessions.ensure(main, { agentId: "main" });
  const index = async () => (await files.read("/state/sessions/index.jsonl")) ?? "";
  const changing = sessions.change(main, () => ({ label: "named" }), "patch");
  sessions.note(main, { lastMessagePreview: "hello" });
  assert.is(sessions.get(main)?.lastMessagePreview, "hello");
  await changing;
  assert.equal([sessions.get(main)?.label, sessions.get(main)?.lastMessagePreview], ["named", "hello"]);
  sessions.note(main, { lastMessagePreview: "bye" });
  assert.not.match(await index(), /bye/);
  await clock.advance(250);
  assert.match(await index(), /bye/);
  sessions.note(main, { lastMessagePreview: "at the end" });
  await sessions.close();
  assert.is(clock.armed, 0);
  assert.is((await open()).get(main)?.lastMessagePreview, "at the end");
});

test("a note to a session that is not there is nothing, and watchers hear of those that say why", async () => {
  const sessions = await fixture().open();
  const heard: string[] = [];
  sessions.onChange(({ reason }) => heard.push(reason));
  sessions.note(main, { label: "x" }, "note");
  await sessions.ensure(main, { agentId: "main" });
  sessions.note(main, { label: "x" });
  sessions.note(main, { label: "y" }, "note");
  assert.equal(heard, ["create", "note"]);
});

test("a reset begins an empty conversation under the same key and keeps what was chosen", async () => {
  const { open, files } = fixture();
  const sessions = await open();
  const before = await sessions.ensure(main, { agentId: "main", label: "mine", thinkingLevel: "high", inputTokens: 5 });
  await sessions.transcript(before).append([user("old")]);
  const after = await sessions.reset(main, "new");
  assert.is.not(after.sessionId, before.sessionId);
  assert.is(after.previousSessionId, before.sessionId);
  assert.equal([after.label, after.thinkingLevel, after.inputTokens], ["mine", "high", 0]);
  assert.equal(await sessions.transcript(after).page({ limit: 9 }), []);
  assert.is(sessions.bySessionId(before.sessionId), undefined);
  assert.match((await files.read(`/state/agents/main/sessions/${before.sessionId}.jsonl`)) ?? "", /old/);
});

test("a deleted session is forgotten, and its conversation set aside under another name", async () => {
  const { open, files } = fixture();
  const sessions = await open();
  const row = await sessions.ensure(main, { agentId: "main" });
  await sessions.transcript(row).append([user("kept")]);
  const paths = await sessions.delete(main);
  assert.equal(paths, [`/state/agents/main/sessions/${row.sessionId}.jsonl.deleted.2026-11-21T000000.000Z`]);
  assert.match((await files.read(paths[0] ?? "")) ?? "", /kept/);
  assert.is(await files.stat(sessions.pathOf(row)), undefined);
  assert.is(sessions.size, 0);
  assert.equal(await sessions.delete(main), []);
  assert.is(await code(sessions.change(main, () => ({}), "patch")), "not-found");
  assert.is(await code(sessions.reset(main, "x")), "not-found");
});

test("a deleted session's conversation may stay where it is", async () => {
  const { open, files } = fixture();
  const sessions = await open();
  const row = await sessions.ensure(main, { agentId: "main" });
  await sessions.transcript(row).append([user("kept")]);
  assert.equal(await sessions.delete(main, { keepTranscript: true }), []);
  assert.ok(await files.stat(sessions.pathOf(row)));
});

test("a fork begins with a copy up to an entry, and goes its own way", async () => {
  const sessions = await fixture().open();
  const row = await sessions.ensure(main, { agentId: "main", thinkingLevel: "low", inputTokens: 9 });
  const transcript = sessions.transcript(row);
  const [first] = await transcript.append([user("1", 5), assistant("2", { timestamp: 6 })]);
  await transcript.append([{ type: "compaction", summary: "s", firstKeptEntryId: first?.id ?? "", tokensBefore: 1 }]);
  const [last] = await transcript.append([user("3")]);
  const options = { newKey: "agent:main:fork", label: "branch" };
  const fork = await sessions.fork(main, { ...options, beforeEntryId: last?.id ?? "" });
  assert.equal(said(await sessions.transcript(fork).context()), ["compaction s", "1", "2"]);
  assert.equal([fork.label, fork.thinkingLevel, fork.inputTokens, fork.derivedTitle], ["branch", "low", 0, "1"]);
  assert.equal(fork.forkSource, { sessionKey: main, sessionId: row.sessionId, entryId: last?.id });
  assert.is(fork.parentSessionKey, main);
  await sessions.transcript(fork).append([user("4")]);
  assert.equal(said(await transcript.page({ limit: 1 })), ["3"]);
  assert.is(await code(sessions.fork(main, options)), "conflict");
  assert.is(await code(sessions.fork(main, { newKey: "agent:main:x", beforeEntryId: "ffffffff" })), "not-found");
  assert.is(await code(sessions.fork("agent:main:none", { newKey: "agent:main:x" })), "not-found");
  assert.equal(said(await sessions.transcript(await sessions.fork(main, { newKey: "agent:main:all" })).context()), [
    "compaction s",
    "1",
    "2",
    "3",
  ]);
});

test("lists come newest first, in pages, with the number of all that match", async () => {
  const { open, clock } = fixture();
  const sessions = await open();
  for (let number = 0; number < 30; number++) {
    clock.jump(60_000);
    await sessions.ensure(`agent:${number % 3 === 0 ? "other" : "main"}:s${number}`, {
      agentId: number % 3 === 0 ? "other" : "main",
      label: number % 2 === 0 ? "even" : undefined,
      archivedAt: number === 29 ? 1 : undefined,
      derivedTitle: `Talk Number ${number}`,
      lastInteractionAt: 1000 - number,
    });
  }
  await sessions.ensure("global", { agentId: "main" });
  await sessions.ensure("unknown", { agentId: "main" });
  const names = (query: Parameters<Sessions["list"]>[0]) => {
    const { rows, total } = sessions.list(query);
    return [rows.map(({ key }) => key.replace(/.*:s?/, "")).join(" "), total];
  };
  assert.equal(names({ limit: 3 }), ["28 27 26", 29]);
  assert.equal(names({ limit: 3, offset: 27 }), ["1 0", 29]);
  assert.equal(names({ limit: 0 }), ["", 29]);
  assert.equal(names({ limit: 2, agentId: "other" }), ["27 24", 10]);
  assert.equal(names({ limit: 2, label: "even" }), ["28 26", 15]);
  assert.equal(names({ archived: true }), ["29", 1]);
  assert.equal(names({ limit: 2, archived: "all" }), ["29 28", 30]);
  assert.equal(names({ limit: 3, includeGlobal: true, includeUnknown: true }), ["unknown global 28", 31]);
  assert.equal(names({ search: "NUMBER talk 12" }), ["12", 1]);
  assert.equal(names({ activeMinutes: 3 }), ["28 27 26", 3]);
  assert.equal(names({ limit: 2, sortBy: "lastInteractionAt" }), ["0 1", 29]);
  assert.equal(names({ where: ({ key }) => key.endsWith("7") }), ["27 17 7", 3]);
  await sessions.change("agent:main:s5", () => ({}), "touch");
  assert.equal(names({ limit: 2 }), ["5 28", 29]);
});

test("a search finds what a session is called now, also in rows that were read from the disk", async () => {
  const { open } = fixture();
  const before = await open();
  await before.ensure("agent:main:a", { agentId: "main", label: 'The "Garden"', derivedTitle: "Growing beans" });
  await before.ensure("agent:main:b", { agentId: "main", lastMessagePreview: "of a garden" });
  await before.close();
  const sessions = await open();
  const found = (search: string) => sessions.list({ search }).rows.map(({ key }) => key);
  assert.equal(found('"garden" beans'), ["agent:main:a"]);
  await sessions.change("agent:main:a", () => ({ label: "Kitchen" }), "patch");
  assert.equal(found("garden"), []);
  assert.equal(found("kitchen"), ["agent:main:a"]);
});

test("a clock that is set back neither breaks the order nor a session's own time", async () => {
  const { open, clock } = fixture();
  const sessions = await open();
  await sessions.ensure("agent:main:a", { agentId: "main" });
  await sessions.ensure("agent:main:b", { agentId: "main" });
  const before = sessions.get("agent:main:b")?.updatedAt ?? 0;
  clock.jump(-3_600_000);
  await sessions.ensure("agent:main:c", { agentId: "main" });
  await sessions.change("agent:main:b", () => ({ label: "x" }), "patch");
  assert.is(sessions.get("agent:main:b")?.updatedAt, before);
  const times = sessions.list({}).rows.map(({ updatedAt }) => updatedAt);
  assert.equal(
    times,
    [...times].sort((a, b) => b - a),
  );
});

test("threat M: a key without sense and an agent that would be a path are refused", async () => {
  const sessions = await fixture().open();
  for (const key of ["", "a\nb", "x".repeat(513)])
    assert.is(await code(sessions.ensure(key, { agentId: "main" })), "invalid-request");
  for (const agentId of ["..", "../main", "a/b", ""])
    assert.is(await code(sessions.ensure(main, { agentId })), "invalid-request");
  assert.is(sessions.size, 0);
});

test("the index is rewritten when most of it is out of date, while requests go on", async () => {
  const { open, files, clock } = fixture();
  const sessions = await open();
  for (let number = 0; number < 50; number++) await sessions.ensure(`agent:main:${number}`, { agentId: "main" });
  for (let turn = 0; turn < 30; turn++)
    await Promise.all(
      Array.from({ length: 50 }, (_, number) =>
        sessions.change(`agent:main:${number}`, () => ({ label: `${turn}` }), "patch"),
      ),
    );
  await sessions.delete("agent:main:7");
  await sessions.close();
  const lines = ((await files.read("/state/sessions/index.jsonl")) ?? "").split("\n").length;
  assert.ok(lines < 1200, `${lines} lines`);
  assert.is(await files.stat("/state/sessions/index.next.jsonl"), undefined);
  const again = await open();
  assert.is(again.size, 49);
  assert.ok(again.list({}).rows.every(({ label }) => label === "29"));
  assert.is(clock.armed, 0);
});

test("a damaged row is found again by its transcript, and the index is made whole", async () => {
  const { open, files, logged } = fixture();
  const sessions = await open();
  for (const name of ["a", "b"]) {
    const row = await sessions.ensure(`agent:main:${name}`, { agentId: "main" });
    await sessions.transcript(row).append([user(`question ${name}`, 7), assistant(`answer ${name}`, { timestamp: 9 })]);
  }
  const lost = sessions.get("agent:main:a");
  await sessions.close();
  const path = "/state/sessions/index.jsonl";
  files.put(path, ((await files.read(path)) ?? "").replace('"agent:main:a"', '"agent:main:z"'));
  const again = await open();
  assert.equal(
    again
      .list({})
      .rows.map(({ key }) => key)
      .sort(),
    ["agent:main:a", "agent:main:b"],
  );
  const row = again.get("agent:main:a");
  assert.is(row?.sessionId, lost?.sessionId);
  assert.equal([row?.derivedTitle, row?.lastMessagePreview], ["question a", "answer a"]);
  assert.equal(
    logged.filter(({ level }) => level === "warn").map(({ message }) => message),
    ["lines that are damaged are left out", "sessions that were missing in the index are back"],
  );
  await again.close();
  const warned = logged.length;
  await (await open()).close();
  assert.is(logged.length, warned, "nothing is wrong with the index any more");
});

test("an index that is gone is made of the transcripts: the newest of each key", async () => {
  const { open, files, clock } = fixture();
  const sessions = await open();
  const old = await sessions.ensure(main, { agentId: "main" });
  await sessions.transcript(old).append([user("old")]);
  clock.jump(1000);
  const row = await sessions.reset(main, "new");
  await sessions.transcript(row).append([user("new question")]);
  await sessions.close();
  await files.remove("/state/sessions");
  const again = await open();
  assert.is(again.size, 1);
  assert.is(again.get(main)?.sessionId, row.sessionId);
  assert.is(again.get(main)?.derivedTitle, "new question");
});

test("another process's sessions are read, not written, until it is gone", async () => {
  const { open, files } = fixture();
  const owner = await open();
  const row = await owner.ensure(main, { agentId: "main" });
  let holder: StateOwner | undefined = { pid: 77 };
  const standby = await open({ logs: createStandbyLogs(createFolderLogs(files, "/state"), () => holder) });
  assert.equal(plain(standby.get(main)), plain(row));
  assert.is(await code(standby.ensure("agent:main:x", { agentId: "main" })), "unavailable");
  assert.is(await code(standby.change(main, () => ({ label: "x" }), "patch")), "unavailable");
  assert.is(await code(standby.transcript(row).append([user("x")])), "unavailable");
  await owner.change(main, () => ({ label: "by the owner" }), "patch");
  await owner.transcript(row).append([user("by the owner")]);
  await owner.close();
  holder = undefined;
  await standby.reload();
  assert.is(standby.get(main)?.label, "by the owner");
  assert.equal(said(await standby.transcript(row).page({ limit: 9 })), ["by the owner"]);
  await standby.change(main, () => ({ label: "taken over" }), "patch");
  assert.is(standby.get(main)?.label, "taken over");
});

test("what is said is given to the search, what is deleted is taken from it", async () => {
  const { open } = fixture();
  const search = scriptedSearch();
  const sessions = await open({ search });
  const row = await sessions.ensure(main, { agentId: "main" });
  const [first] = await sessions
    .transcript(row)
    .append([user("find me", 5), aside("/status"), assistant("", { timestamp: 7 })]);
  assert.equal(search.texts, [
    { sessionId: row.sessionId, entryId: first?.id, role: "user", timestamp: 5, text: "find me" },
  ]);
  const { hits } = await sessions.search({ query: "me", limit: 5 });
  assert.equal(
    hits.map(({ row, messageId }) => [row.key, messageId]),
    [[main, first?.id]],
  );
  await sessions.reset(main, "new");
  assert.equal(search.forgotten, [row.sessionId]);
});

test("threat S: what was deleted, rewound, or is another agent's is not found", async () => {
  const { open } = fixture();
  const search = scriptedSearch();
  const sessions = await open({ search });
  const add = async (key: string, agentId: string) => {
    const row = await sessions.ensure(key, { agentId });
    await sessions.transcript(row).append([user(`secret of ${key}`)]);
    return row;
  };
  const rewound = await add("agent:main:rewound", "main");
  await add("agent:main:deleted", "main");
  await add("agent:main:here", "main");
  await add("agent:other:there", "other");
  await sessions.transcript(rewound).rewind(undefined);
  await sessions.delete("agent:main:deleted");
  const found = async (more: object) =>
    (await sessions.search({ query: "secret", limit: 9, ...more })).hits.map(({ row }) => row.key);
  assert.equal(await found({}), ["agent:main:here", "agent:other:there"]);
  assert.equal(await found({ agentId: "main" }), ["agent:main:here"]);
  assert.equal(await found({ sessionKeys: ["agent:other:there"] }), ["agent:other:there"]);
  assert.equal(await found({ sessionKeys: [] }), []);
});

test("after a crash the search gets again what its index may lack", async () => {
  const { open, clock } = fixture();
  const sessions = await open();
  const old = await sessions.ensure("agent:main:old", { agentId: "main" });
  await sessions.transcript(old).append([user("old", clock.now())]);
  clock.jump(3_600_000);
  const row = await sessions.ensure(main, { agentId: "main" });
  await sessions.transcript(row).append(Array.from({ length: 450 }, (_, number) => user(`${number}`, clock.now())));
  await sessions.close();
  const search = scriptedSearch(clock.now() - 1000);
  const again = await open({ search });
  for (let turn = 0; turn < 100 && search.texts.length < 450; turn++) await settle();
  await again.close();
  assert.is(search.texts.length, 450);
  assert.ok(search.texts.every(({ sessionId }) => sessionId === row.sessionId));
});

test("after a crash the search gets a message too that waited long for its turn", async () => {
  const { open, clock } = fixture();
  const sessions = await open();
  const row = await sessions.ensure(main, { agentId: "main" });
  const said = clock.now();
  clock.jump(3_600_000);
  await sessions.transcript(row).append([user("at last", said)]);
  await sessions.change(main, () => ({}), "test");
  await sessions.close();
  const search = scriptedSearch(clock.now() - 1000);
  const again = await open({ search });
  for (let turn = 0; turn < 100 && search.texts.length === 0; turn++) await settle();
  await again.close();
  assert.equal(
    search.texts.map(({ text }) => text),
    ["at last"],
  );
});

test("without an index to search in, a search says so", async () => {
  const sessions = await fixture().open();
  assert.is(await code(sessions.search({ query: "x", limit: 1 })), "unavailable");
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

function scriptedSearch(
  syncedTo = Number.MAX_SAFE_INTEGER,
): SearchIndex & { texts: SearchText[]; forgotten: string[] } {
  const texts: SearchText[] = [];
  const forgotten: string[] = [];
  return {
    texts,
    forgotten,
    syncedTo,
    add: (more) => void texts.push(...more),
    forget: (sessionId) => void forgotten.push(sessionId),
    // Answers all it ever heard: what must not be seen is for the sessions to hide.
    query: async ({ text }) => ({
      hits: texts.filter((each) => each.text.includes(text)).map((each) => ({ ...each, snippet: each.text, score: 1 })),
      truncated: false,
    }),
    flush: async () => undefined,
    close: async () => undefined,
  };
}

test.run();
