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

/** Says these and goes back to the first of all, so that they are a branch. */
async function leave(transcript: Transcript, ...texts: readonly string[]): Promise<readonly Entry[]> {
  const written = await transcript.append(texts.map((text, at) => (at % 2 === 0 ? user(text) : assistant(text))));
  const [root] = await transcript.after(0, { limit: 1 });
  await transcript.rewind(root?.id);
  return written;
}

const left = async (transcript: Transcript) => (await transcript.branches()).filter(({ active }) => !active);
const heads = async (transcript: Transcript) => (await left(transcript)).map(({ headline }) => headline);
const all = async (transcript: Transcript) => said(await transcript.page({ limit: 99 })).join("");

test("a conversation that never went back is one branch, and none while nothing was said", async () => {
  const { transcript } = await start();
  assert.equal(await transcript.branches(), []);
  const [, answer] = await transcript.append([user("1"), assistant("2")]);
  const { id: leafId, timestamp: updatedAt } = answer ?? { id: "", timestamp: "" };
  assert.equal(await transcript.branches(), [{ leafId, active: true, headline: "1", messages: 2, updatedAt }]);
});

test("what each rewind left behind is a branch, the newest first, named by what the person said last", async () => {
  const { transcript } = await start();
  await transcript.append([user("root")]);
  await leave(transcript, "a", "b", "c  \n d", "e");
  const [, leaf] = await leave(transcript, "f", "g");
  await transcript.append([user("here")]);
  const [own, newest, oldest] = await transcript.branches();
  assert.equal([own?.active, own?.headline, own?.messages], [true, "here", 2]);
  assert.equal([newest?.leafId, newest?.headline, newest?.messages], [leaf?.id, "f", 3]);
  assert.equal([oldest?.headline, oldest?.messages], ["c d", 5]);
  assert.is(newest?.updatedAt, leaf?.timestamp);
});

test("the path goes on from another leaf, and what it was until then is a branch", async () => {
  const { transcript, sessions, open, row } = await start();
  await transcript.append([user("root")]);
  const [, leaf] = await leave(transcript, "a", "b");
  await transcript.append([user("c")]);
  await transcript.switchTo(leaf?.id ?? "");
  await transcript.switchTo(leaf?.id ?? "");
  await transcript.append([user("on")]);
  assert.is(await all(transcript), "rootabon");
  assert.equal(await heads(transcript), ["c"]);
  assert.is(await transcript.count(), 4);
  await sessions.close();
  const again = (await open()).transcript(row);
  assert.is(await all(again), "rootabon");
  const [branch] = await left(again);
  await again.switchTo(branch?.leafId ?? "");
  assert.is(await all(again), "rootc");
  assert.equal(await heads(again), ["on"]);
});

test("a branch is named by its leaf alone: what lies on it or on the path is refused", async () => {
  const { transcript } = await start();
  const [root] = await transcript.append([user("root")]);
  const [inner, leaf] = await leave(transcript, "a", "b");
  await transcript.append([user("c")]);
  for (const id of [inner?.id, root?.id, "ffffffff", "../../x", ""]) {
    const refused = await transcript.switchTo(id ?? "").catch((thrown: unknown) => Failure.from(thrown).code);
    assert.is(refused, "not-found", id);
  }
  await transcript.switchTo(leaf?.id ?? "");
  assert.is(await all(transcript), "rootab");
});

test("going back twice before the same place leaves two branches, and before a first message the whole conversation", async () => {
  const { transcript } = await start();
  const [first] = await transcript.append([user("1"), user("2")]);
  assert.is(await transcript.before(first as Entry), undefined);
  for (const text of ["a", "b"]) {
    const [entry] = await transcript.append([user(text)]);
    const before = await transcript.before(entry as Entry);
    assert.equal(said(before ? [before] : []), ["2"]);
    await transcript.rewind(before?.id);
  }
  await transcript.rewind(undefined);
  await transcript.append([user("anew")]);
  assert.equal(await heads(transcript), ["b", "a"]);
  await transcript.switchTo((await left(transcript))[1]?.leafId ?? "");
  assert.is(await all(transcript), "12a");
});

test("a branch keeps its own compaction, and each compaction is listed with what came before it", async () => {
  const { transcript } = await start();
  const [root, , kept] = await transcript.append([user("1"), assistant("2"), user("3")]);
  const compact = (summary: string): NewEntry => ({
    type: "compaction",
    summary,
    firstKeptEntryId: kept?.id ?? "",
    tokensBefore: 7,
  });
  await transcript.append([compact("first"), user("4"), compact("second"), user("5")]);
  const listed = async (limit = 9) =>
    (await transcript.compactions(limit)).map(({ compaction, before }) => [
      compaction.summary,
      ...said(before ? [before] : []),
    ]);
  assert.equal(await listed(), [
    ["second", "4"],
    ["first", "3"],
  ]);
  assert.equal(await listed(1), [["second", "4"]]);
  await transcript.rewind(root?.id);
  assert.equal([await listed(), said(await transcript.context())], [[], ["1"]]);
  await transcript.switchTo((await left(transcript))[0]?.leafId ?? "");
  assert.equal(said(await transcript.context()), ["compaction second", "3", "4", "5"]);
});

test("branches of a file that another program wrote can be gone on with", async () => {
  const disk = fixture();
  const of = { sessionId: "11111111-2222-4333-8444-555555555555", agentId: "main" };
  const file = `/state/agents/main/sessions/${of.sessionId}.jsonl`;
  const line = (id: string, parentId: string | null, text: string) => ({
    type: "message",
    id,
    parentId,
    timestamp: "2026-01-02T00:00:00.000Z",
    message: { role: "user", content: [{ type: "text", text }], timestamp: 1 },
  });
  const lines = [
    { type: "session", version: 3, id: of.sessionId, timestamp: "2026-01-01T00:00:00.000Z" },
    line("0000000a", null, "root"),
    line("0000000b", "0000000a", "left"),
    line("0000000d", "0000000a", "taken"),
    line("0000000c", "0000000b", "too"),
    { type: "branch_summary", id: "0000000e", parentId: "0000000d", timestamp: "x", summary: "unknown to us" },
    line("00000010", "0000000c", "deeper"),
    line("0000000f", "0000000e", "end"),
    line("00000011", null, "elsewhere"),
    line("00000012", "0000000f", "last"),
  ];
  disk.files.put(file, lines.map((each) => `${JSON.stringify(each)}\n`).join(""));
  const sessions = await disk.open();
  const transcript = sessions.transcript(of);
  assert.equal(await heads(transcript), ["elsewhere", "deeper"]);
  await transcript.switchTo("00000010");
  await transcript.append([user("on")]);
  assert.is(await all(transcript), "rootlefttoodeeperon");
  assert.is(await transcript.count(), 5);
  await sessions.close();
  const again = (await disk.open()).transcript(of);
  assert.equal(await heads(again), ["last", "elsewhere"]);
  await again.switchTo("00000011");
  assert.is(await all(again), "elsewhere");
  await again.switchTo("00000012");
  assert.is(await all(again), "roottakenendlast");
});

test("of a branch that is damaged, what was said before the damage is offered", async () => {
  const { transcript, sessions, open, row, files, path } = await start();
  await transcript.append([user("root")]);
  await leave(transcript, "a", "damaged here", "b");
  await leave(transcript, "c", "d");
  await transcript.append([user("e")]);
  await sessions.close();
  files.put(path, ((await files.read(path)) ?? "").replace("damaged here", "damaged hers"));
  const again = (await open()).transcript(row);
  assert.equal(await heads(again), ["c", "a"]);
  await again.switchTo((await left(again))[1]?.leafId ?? "");
  assert.is(await all(again), "roota");
});

test("whatever is said, left and gone back to, each branch is what it was as a list in memory", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const { transcript: first, open, row, sessions } = await start();
    const random = randomFrom(seed);
    let [current, transcript] = [sessions, first];
    let path: readonly Entry[] = [];
    /** Every entry with all that led to it. */
    const tree = new Map<string, readonly Entry[]>();
    for (let step = 0; step < 60; step++) {
      const context = `seed ${seed}, step ${step}`;
      const choice = random(8);
      if (choice === 0) {
        const target = path[random(path.length)];
        await transcript.rewind(target?.id);
        path = path.slice(0, target ? path.indexOf(target) + 1 : 0);
      } else if (choice === 1) {
        const branches = await left(transcript);
        const to = branches[random(branches.length)]?.leafId;
        if (to !== undefined) {
          await transcript.switchTo(to);
          path = tree.get(to) ?? [];
        }
      } else if (choice === 2) {
        await current.close();
        current = await open();
        transcript = current.transcript(row);
      } else {
        const long = random(20) === 0 ? 400 : 5;
        const entries = Array.from({ length: random(6) }, () => user("x".repeat(random(200) * long)));
        for (const entry of await transcript.append(entries)) tree.set(entry.id, (path = [...path, entry]));
      }
      assert.equal(await transcript.page({ limit: 20 }), path.slice(-20), context);
      assert.is(await transcript.count(), path.length, context);
      assert.equal(
        (await transcript.after(0)).map(({ id }) => id),
        path.map(({ id }) => id),
        context,
      );
      const parents = new Set([...tree.values()].map((entries) => entries.at(-2)?.id));
      const leaves = [...tree.values()]
        .flatMap((entries) => entries.slice(-1))
        .filter((entry) => !parents.has(entry.id) && !path.includes(entry))
        .toSorted((a, b) => b.seq - a.seq);
      const branches = await left(transcript);
      assert.equal(
        branches.map(({ leafId, messages }) => [leafId, messages]),
        leaves.map(({ id }) => [id, tree.get(id)?.length]),
        context,
      );
    }
    await current.close();
  }
});

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return below <= 0 ? 0 : Math.floor((state / 2 ** 32) * below);
  };
}

test.run();
