import { test } from "uvu";
import * as assert from "uvu/assert";
import { importSession } from "../../src/session/import.ts";
import { createMedia } from "../../src/session/media.ts";
import type { Sessions } from "../../src/session/sessions.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { Crash } from "../support/memory-files.ts";
import { fixture, main, said, user, type Fixture } from "./fixture.ts";

/** Runs `work` on a disk prepared by `before`, killed at its first, second, ... change, until it is not killed any more. */
async function killedEverywhere(
  before: (disk: Fixture) => Promise<void>,
  work: (sessions: Sessions, killed: Fixture) => Promise<void>,
  judge: (sessions: Sessions, point: number) => Promise<void>,
): Promise<void> {
  const prepared = fixture();
  await before(prepared);
  const contents = prepared.files.snapshot();
  for (let point = 1; ; point++) {
    const disk = fixture();
    for (const [path, text] of Object.entries(contents)) disk.files.put(path, text);
    const sessions = await disk.open();
    disk.files.crashAfter(point);
    let finished = false;
    try {
      await work(sessions, disk);
      finished = true;
    } catch (error) {
      assert.instance(error, Crash);
    }
    // The dead process does nothing more; a new one finds the disk as it was left.
    const left = fixture();
    for (const [path, text] of Object.entries(disk.files.snapshot())) left.files.put(path, text);
    const again = await left.open();
    await judge(again, point);
    await again.close();
    if (!finished) continue;
    assert.ok(point > 2);
    return;
  }
}

test("kill -9 at any point of a conversation: what was acknowledged is there once, in order", async () => {
  const acknowledged: string[] = [];
  await killedEverywhere(
    async () => undefined,
    async (sessions) => {
      acknowledged.length = 0;
      const row = await sessions.ensure(main, { agentId: "main" });
      for (let number = 0; number < 10; number++) {
        await sessions.transcript(row).append([user(`${number}a`), user(`${number}b`)]);
        acknowledged.push(`${number}a`, `${number}b`);
        sessions.note(main, { lastMessagePreview: `${number}b` });
      }
    },
    async (sessions, point) => {
      const row = await sessions.ensure(main, { agentId: "main" });
      const transcript = sessions.transcript(row);
      const found = said(await transcript.page({ limit: 99 }));
      assert.equal(found.slice(0, acknowledged.length), acknowledged, `killed at ${point}`);
      assert.ok(found.length <= acknowledged.length + 2);
      await transcript.append([user("after")]);
      assert.equal(said(await transcript.context()), [...found, "after"], `killed at ${point}`);
      assert.is(await transcript.count(), found.length + 1);
    },
  );
});

test("kill -9 at any point of a rewind: the conversation is as before or as after", async () => {
  await killedEverywhere(
    async ({ open }) => {
      const sessions = await open();
      const row = await sessions.ensure(main, { agentId: "main" });
      await sessions.transcript(row).append([user("1"), user("2"), user("3")]);
      await sessions.close();
    },
    async (sessions) => {
      const row = await sessions.ensure(main, { agentId: "main" });
      const transcript = sessions.transcript(row);
      const [first] = await transcript.page({ limit: 3 });
      await transcript.rewind(first?.id);
      await transcript.append([user("4")]);
      await transcript.rewind(first?.id);
      await transcript.append([user("5")]);
    },
    async (sessions, point) => {
      const row = await sessions.ensure(main, { agentId: "main" });
      const found = said(await sessions.transcript(row).page({ limit: 9 })).join("");
      assert.ok(["123", "1", "14", "15"].includes(found), `killed at ${point}: ${found}`);
    },
  );
});

test("kill -9 at any point of a switch to a branch and back: the conversation is one of them, and both are kept", async () => {
  await killedEverywhere(
    async ({ open }) => {
      const sessions = await open();
      const row = await sessions.ensure(main, { agentId: "main" });
      const transcript = sessions.transcript(row);
      const [first] = await transcript.append([user("1"), user("2"), user("3")]);
      await transcript.rewind(first?.id);
      await transcript.append([user("4")]);
      await sessions.close();
    },
    async (sessions) => {
      const row = await sessions.ensure(main, { agentId: "main" });
      const transcript = sessions.transcript(row);
      for (const text of ["5", "6"]) {
        const left = (await transcript.branches()).filter(({ active }) => !active);
        await transcript.switchTo(left.at(-1)?.leafId ?? "");
        await transcript.append([user(text)]);
      }
    },
    async (sessions, point) => {
      const row = await sessions.ensure(main, { agentId: "main" });
      const transcript = sessions.transcript(row);
      const found = said(await transcript.page({ limit: 9 })).join("");
      assert.ok(["14", "123", "1235", "146"].includes(found), `killed at ${point}: ${found}`);
      const branches = await transcript.branches();
      assert.is(branches.length, 2, `killed at ${point}`);
      await transcript.switchTo(branches[1]?.leafId ?? "");
      const other = said(await transcript.page({ limit: 9 })).join("");
      assert.is(other.startsWith("12"), !found.startsWith("12"), `killed at ${point}: ${found}, ${other}`);
    },
  );
});

test("kill -9 at any point of changes, a reset, a fork and a deletion: each is whole or not at all", async () => {
  let done: string[] = [];
  await killedEverywhere(
    async () => undefined,
    async (sessions) => {
      done = [];
      const row = await sessions.ensure(main, { agentId: "main" });
      done.push("ensure");
      await sessions.transcript(row).append([user("1"), user("2")]);
      await sessions.change(main, () => ({ label: "named" }), "patch");
      done.push("change");
      await sessions.fork(main, { newKey: "agent:main:fork" });
      done.push("fork");
      await sessions.reset(main, "new");
      done.push("reset");
      await sessions.delete("agent:main:fork");
      done.push("delete");
    },
    async (sessions, point) => {
      const row = sessions.get(main);
      const fork = sessions.get("agent:main:fork");
      const context = `killed at ${point}, after ${done.join()}`;
      if (done.includes("ensure")) assert.ok(row, context);
      if (done.includes("change")) assert.is(row?.label, "named", context);
      if (done.includes("fork") && !done.includes("reset")) assert.ok(fork, context);
      if (done.includes("reset")) assert.ok(row?.previousSessionId, context);
      if (done.includes("delete")) assert.not(fork, context);
      if (fork && !done.includes("reset"))
        assert.equal(said(await sessions.transcript(fork).context()), ["1", "2"], context);
      if (row?.previousSessionId !== undefined)
        assert.equal(await sessions.transcript(row).page({ limit: 9 }), [], context);
    },
  );
});

test("kill -9 at any point while the index is rewritten: every acknowledged change is in it", async () => {
  let acknowledged = 0;
  await killedEverywhere(
    async ({ open }) => {
      const sessions = await open();
      for (let number = 0; number < 40; number++) await sessions.ensure(`agent:main:${number}`, { agentId: "main" });
      // One line short of the rewrite.
      for (let turn = 0; turn < 26; turn++)
        await Promise.all(
          Array.from({ length: 40 }, (_, number) =>
            sessions.change(`agent:main:${number}`, () => ({ label: "before" }), "patch"),
          ),
        );
      await sessions.close();
    },
    async (sessions) => {
      acknowledged = 0;
      for (let number = 0; number < 25; number++) {
        await sessions.change(`agent:main:${number}`, () => ({ label: "after" }), "patch");
        acknowledged++;
      }
      await sessions.close();
    },
    async (sessions, point) => {
      assert.is(sessions.size, 40, `killed at ${point}`);
      for (let number = 0; number < 40; number++) {
        const label = sessions.get(`agent:main:${number}`)?.label;
        if (number < acknowledged) assert.is(label, "after", `killed at ${point}, session ${number}`);
        if (number > acknowledged) assert.is(label, "before", `killed at ${point}, session ${number}`);
      }
    },
  );
});

test("kill -9 at any point while another program's conversation is taken over: nothing of it is lost", async () => {
  const id = "11111111-2222-4333-8444-555555555555";
  await killedEverywhere(
    async ({ files }) => {
      const entry = (name: string, parentId: string | null) =>
        JSON.stringify({
          type: "message",
          id: name,
          parentId,
          timestamp: "2026-01-01T00:00:00.000Z",
          message: { role: "user", content: name, timestamp: 1 },
        });
      files.put(
        `/state/agents/main/sessions/${id}.jsonl`,
        ['{"type":"session","version":3,"id":"x"}', entry("0000000a", null), entry("0000000b", "0000000a"), ""].join(
          "\n",
        ),
      );
      files.put(
        "/state/agents/main/sessions/sessions.json",
        JSON.stringify({ [main]: { sessionId: id, updatedAt: 1 } }),
      );
    },
    async (sessions) => {
      await sessions.transcript({ sessionId: id, agentId: "main" }).append([user("next")]);
    },
    async (sessions, point) => {
      const row = sessions.get(main);
      assert.is(row?.sessionId, id);
      const found = said(await sessions.transcript({ sessionId: id, agentId: "main" }).context());
      assert.equal(found.slice(0, 2), ["0000000a", "0000000b"], `killed at ${point}`);
    },
  );
});

test("a disk that is full for a while loses nothing that was acknowledged", async () => {
  const { open, files } = fixture();
  const sessions = await open();
  const row = await sessions.ensure(main, { agentId: "main" });
  const transcript = sessions.transcript(row);
  await transcript.append([user("before")]);
  files.before = (operation) => {
    if (operation === "append") throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  };
  for (const attempt of [
    () => transcript.append([user("lost")]),
    () => sessions.change(main, () => ({ label: "lost" }), "patch"),
    () => sessions.ensure("agent:main:lost", { agentId: "main" }),
    () => sessions.delete(main),
    () => transcript.rewind(undefined),
  ])
    assert.ok(
      await attempt().then(
        () => false,
        () => true,
      ),
    );
  assert.equal([sessions.size, sessions.get(main)?.label], [1, undefined]);
  files.before = undefined;
  await transcript.append([user("after")]);
  await sessions.change(main, () => ({ label: "after" }), "patch");
  await sessions.close();
  const again = await open();
  assert.is(again.get(main)?.label, "after");
  assert.equal(said(await again.transcript(row).context()), ["before", "after"]);
});

test("kill -9 at any point of an import: the session is there whole, or not at all", async () => {
  const key = "agent:main:copy";
  const lines = Array.from({ length: 1200 }, (_, number) =>
    JSON.stringify({ type: "message", message: { role: "user", content: `${number}` } }),
  );
  let done = false;
  await killedEverywhere(
    async () => undefined,
    async (sessions) => {
      done = false;
      const media = createMedia(createMemoryStore());
      await importSession({ sessions, media }, { key, agentId: "main", lines: () => lines });
      done = true;
    },
    async (sessions, point) => {
      const row = sessions.get(key);
      const count = row && (await sessions.transcript(row).count());
      assert.ok(count === 1200 || (count === undefined && !done), `killed at ${point}: ${count} entries`);
    },
  );
});

test.run();
