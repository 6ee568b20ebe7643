import { test } from "uvu";
import * as assert from "uvu/assert";
import { toBase64 } from "../../src/kit/base64.ts";
import { Failure } from "../../src/kit/error.ts";
import { sha256Hex } from "../../src/kit/ids.ts";
import { exportPage, type ExportPage, type ExportPlace } from "../../src/session/export.ts";
import { importSession } from "../../src/session/import.ts";
import { createMedia, type Media } from "../../src/session/media.ts";
import type { Sessions } from "../../src/session/sessions.ts";
import type { NewEntry } from "../../src/session/transcript.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { assistant, fixture, main, said, user } from "./fixture.ts";

interface Place {
  readonly sessions: Sessions;
  readonly media: Media;
}

const place = async (): Promise<Place> => ({
  sessions: await fixture().open(),
  media: createMedia(createMemoryStore()),
});

/** A place in which this was said. */
async function spoken(entries: readonly NewEntry[]): Promise<Place> {
  const made = await place();
  const row = await made.sessions.ensure(main, { agentId: "main" });
  await made.sessions.transcript(row).append(entries);
  return made;
}

async function pagesOf(from: Place, key = main): Promise<readonly ExportPage[]> {
  const pages: ExportPage[] = [];
  let next: ExportPlace | undefined;
  do {
    const page = await exportPage(from, { key, sessionId: pages[0]?.sessionId, from: next });
    pages.push(page);
    next = page.next;
  } while (next);
  return pages;
}

const linesOf = async (from: Place, key = main): Promise<readonly string[]> =>
  (await pagesOf(from, key)).flatMap(({ lines }) => lines);

const copyOf = (to: Place, lines: readonly string[], key = "agent:main:copy") =>
  importSession(to, { key, agentId: "main", lines: () => lines });

const failureOf = (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    () => new Failure("internal", "nothing failed"),
    (error: unknown) => Failure.from(error),
  );

/** Lines without what a copy has of its own. */
function likened(lines: readonly string[]): readonly unknown[] {
  const names = new Map<string, number>();
  return lines.map((line, index) => {
    const { c: _c, id, parentId, seq: _seq, key: _key, timestamp, firstKeptEntryId, ...rest } = JSON.parse(line);
    names.set(id, index);
    const kept = [names.get(parentId), names.get(firstKeptEntryId)];
    return { ...rest, kept, ...(rest.type === "session" ? {} : { timestamp }) };
  });
}

const picture = toBase64(new Uint8Array([1, 2, 3, 4]));
const shown = async (media: Media, base64 = picture): Promise<NewEntry> => ({
  type: "message",
  message: {
    role: "user",
    content: [{ type: "image", mimeType: "image/png", fileName: "a.png", media: await media.save(base64) }],
    timestamp: 1,
  },
});

test("a conversation that is exported and imported is the same again", async () => {
  const from = await place();
  const row = await from.sessions.ensure(main, { agentId: "main" });
  const transcript = from.sessions.transcript(row);
  const [, , third] = await transcript.append(Array.from({ length: 700 }, (_, number) => user(`${number}`)));
  await transcript.append([{ type: "compaction", summary: "s", firstKeptEntryId: third?.id ?? "", tokensBefore: 3 }]);
  const [, left] = await transcript.append([assistant("answer"), user("left behind")]);
  await transcript.rewind(left?.parentId ?? undefined);
  await transcript.append([user("after the rewind"), await shown(from.media)]);
  const pages = await pagesOf(from);
  assert.equal(
    pages.map(({ lines }) => lines.length),
    [500, 206],
  );
  const lines = pages.flatMap((page) => page.lines);
  const to = await place();
  const { row: copy, entries } = await copyOf(to, lines);
  const copied = to.sessions.transcript(copy);
  assert.is(entries, 704);
  assert.equal(said(await copied.page({ limit: 999 })), said(await transcript.page({ limit: 999 })));
  assert.equal(said(await copied.context()), said(await transcript.context()));
  assert.equal([copy.derivedTitle, copy.lastMessagePreview, copy.compactionCount], ["0", "after the rewind", 1]);
  assert.equal(likened(await linesOf(to, copy.key)), likened(lines));
});

test("a picture comes before the entry that shows it, once a page, and is there after an import elsewhere", async () => {
  const from = await place();
  const row = await from.sessions.ensure(main, { agentId: "main" });
  const entry = await shown(from.media);
  await from.sessions.transcript(row).append([user("look"), entry, entry]);
  const lines = await linesOf(from);
  assert.equal(
    lines.map((line) => JSON.parse(line).type),
    ["session", "message", "media", "message", "message"],
  );
  const to = await place();
  await copyOf(to, lines);
  assert.is(await to.media.load(JSON.parse(lines[2] ?? "").name), picture);
});

test("pictures that are gone are left out, and those of one entry fill as many pages as they take", async () => {
  const from = await place();
  const row = await from.sessions.ensure(main, { agentId: "main" });
  const bytes = new Uint8Array(2 * 1024 * 1024);
  const parts = [];
  for (let number = 0; number < 3; number++) {
    bytes[0] = number;
    parts.push({ type: "image", mimeType: "image/png", media: await from.media.save(toBase64(bytes)) } as const);
  }
  const gone = { type: "image", mimeType: "image/png", media: "0".repeat(64) } as const;
  const message = { role: "user", content: [gone, ...parts], timestamp: 1 } as const;
  await from.sessions.transcript(row).append([user("look"), { type: "message", message }, user("well?")]);
  const pages = await pagesOf(from);
  assert.equal(
    pages.map(({ lines }) => lines.map((line) => JSON.parse(line).type)),
    [["session", "message", "media"], ["media"], ["media", "message", "message"]],
  );
  assert.equal(pages[0]?.next, { afterSeq: 1, pictures: 2 });
  const to = await place();
  await copyOf(
    to,
    pages.flatMap(({ lines }) => lines),
  );
  for (const { media } of parts) assert.ok(await to.media.load(media));
});

test("an export goes on over what is said meanwhile, and not over another conversation or a rewind", async () => {
  const from = await spoken(Array.from({ length: 600 }, (_, number) => user(`${number}`)));
  const transcript = from.sessions.transcript(await from.sessions.ensure(main, { agentId: "main" }));
  const { next, sessionId } = await exportPage(from, { key: main });
  await transcript.append([user("meanwhile")]);
  const second = await exportPage(from, { key: main, sessionId, from: next });
  assert.is(JSON.parse(second.lines.at(-1) ?? "").message.content[0].text, "meanwhile");
  const [early] = await transcript.after(10, { limit: 1 });
  await transcript.rewind(early?.id);
  const back = await failureOf(exportPage(from, { key: main, sessionId, from: next }));
  assert.equal([back.code, back.message.includes("went back")], ["conflict", true]);
  await from.sessions.reset(main, "new");
  const anew = await failureOf(exportPage(from, { key: main, sessionId, from: next }));
  assert.equal([anew.code, anew.message.includes("began anew")], ["conflict", true]);
});

test("lines that are damaged refuse the whole import, by their number, and nothing is kept", async () => {
  const from = await spoken([user("one"), user("two")]);
  const row = await from.sessions.ensure(main, { agentId: "main" });
  await from.sessions.transcript(row).append([await shown(from.media)]);
  const lines = await linesOf(from);
  const changed = lines.map((line, index) => (index === 2 ? line.replace("two", "2wo") : line));
  const data = toBase64(new Uint8Array([9]));
  const inline = (data: string) => ({ type: "message", message: { role: "user", content: [image(data)] } });
  const image = (data: string) => ({ type: "image", mimeType: "image/png", data });
  for (const [bad, number] of [
    [changed, 3],
    [[...lines, "not json"], 6],
    [[lines[0] ?? "", "", "{}"], 3],
    [["[]"], 1],
    [['{"type":"message"}'], 1],
    [['{"role":"user","content":"from elsewhere"}'], 1],
    [[...lines, JSON.stringify({ type: "media", name: await sha256Hex("other"), data })], 6],
    [[...lines, JSON.stringify({ type: "media", name: "../x", data: 1 })], 6],
    [[JSON.stringify(inline(data)), JSON.stringify(inline("%"))], 2],
    [[lines[0] ?? "", `{"type":"message","message":{"role":"user","content":"${"x".repeat(15 * 2 ** 20)}"}}`], 2],
  ] as const) {
    const to = await place();
    const { code, message } = await failureOf(copyOf(to, bad));
    assert.is(code, "invalid-request");
    assert.match(message, new RegExp(`^line ${number} `));
    assert.is(to.sessions.size, 0);
    assert.is(await to.media.load(JSON.parse(lines[3] ?? "").name), undefined);
  }
});

test("what another program wrote is imported: older messages, branches, its own kinds, pictures inside", async () => {
  const to = await place();
  const lines = [
    { type: "session", version: 3, id: "s", timestamp: "2026-01-02T03:04:05.000Z", cwd: "/w" },
    { type: "model_change", id: "a1", parentId: null, provider: "mock", modelId: "m1" },
    { type: "custom", customType: "model-snapshot", data: { modelId: "m1" }, id: "a2", parentId: "a1" },
    { type: "custom_message", id: "a3", parentId: "a2", content: "unknown here" },
    { type: "message", id: "a4", parentId: "a3", message: { role: "user", content: "hello", timestamp: 5 } },
    { type: "message", id: "a5", parentId: "a4", message: { role: "user", content: "another branch" } },
    {
      type: "message",
      id: "a6",
      parentId: "a4",
      timestamp: "2026-01-02T03:04:06.000Z",
      message: {
        role: "toolResult",
        toolCallId: "c",
        toolName: "read",
        content: [{ type: "image", mimeType: "image/png", data: picture, fileName: 7 }, image(picture)],
      },
    },
  ].map((line) => JSON.stringify(line));
  const { row, entries } = await copyOf(to, ["", ...lines]);
  assert.is(entries, 4);
  const found = await to.sessions.transcript(row).page({ limit: 9 });
  assert.equal(said(found), ["model_change", "custom", "hello", "image"]);
  const last = found.at(-1);
  assert.is(last?.timestamp, "2026-01-02T03:04:06.000Z");
  if (last?.type !== "message") return assert.unreachable();
  const media = await to.media.save(picture);
  assert.equal(last.message.content, [{ type: "image", mimeType: "image/png", media }]);

  function image(data: string) {
    return { type: "image", mimeType: "image/png", data };
  }
});

test("times that lie ahead do not make a session newer than it is", async () => {
  const to = await place();
  const { row } = await copyOf(to, [
    '{"type":"message","message":{"role":"user","content":"x","timestamp":1e300}}',
    '{"type":"message","message":{"role":"user","content":"y","timestamp":1e300}}',
  ]);
  assert.equal([row.updatedAt, row.lastInteractionAt], [row.createdAt, row.createdAt]);
});

test("nothing is imported over a session that is there, or of nothing, and nothing exported of one that is not", async () => {
  const from = await spoken([user("mine")]);
  assert.is((await failureOf(copyOf(from, ['{"type":"session"}'], main))).code, "conflict");
  assert.match((await failureOf(copyOf(from, ["", ""]))).message, /^there is no conversation in this/);
  assert.is((await failureOf(exportPage(from, { key: "agent:main:none" }))).code, "not-found");
});

test("of two imports under one key at once one is made", async () => {
  const to = await place();
  const line = '{"type":"message","message":{"role":"user","content":"x"}}';
  const outcomes = await Promise.allSettled([copyOf(to, [line]), copyOf(to, [line, line])]);
  assert.equal(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected"],
  );
  assert.is(to.sessions.size, 1);
});

test.run();
