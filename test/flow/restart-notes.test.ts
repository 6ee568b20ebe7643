import { test } from "uvu";
import * as assert from "uvu/assert";
import { createRestartNotes, type RestartNotes } from "../../src/flow/restart-notes.ts";
import type { Turns } from "../../src/flow/turns.ts";
import { Failure } from "../../src/kit/error.ts";
import { createLogger } from "../../src/kit/log.ts";
import { noUsage, textOf } from "../../src/session/message.ts";
import { openSessions } from "../../src/session/open-sessions.ts";
import type { Sessions } from "../../src/session/sessions.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createMemoryFiles, type MemoryFiles } from "../support/memory-files.ts";

const key = "agent:main:main";
const file = "/state/restart-sentinel.json";

interface World {
  readonly clock: FakeClock;
  readonly files: MemoryFiles;
  readonly sessions: Sessions;
  readonly notes: RestartNotes;
  /** What the conversation says. */
  said(): Promise<readonly string[]>;
}

/** A gateway's sessions on a disk in memory, from one process to the next. */
async function world(files: MemoryFiles, clock = createFakeClock()): Promise<World> {
  const log = createLogger(() => clock.now(), []);
  const store = createFolderStore(files, "/state");
  const logs = createFolderLogs(files, "/state");
  const sessions = await openSessions({ logs, store, clock, log, stateFolder: "/state" });
  const turns: Pick<Turns, "inject"> = {
    async inject({ sessionKey, text, runId }) {
      const row = await sessions.ensure(sessionKey, { agentId: "main" });
      const message = {
        role: "assistant",
        content: [{ type: "text", text }],
        api: "gateway",
        provider: "clawlet",
        model: "gateway",
        usage: noUsage,
        stopReason: "injected",
        timestamp: 0,
      } as const;
      const entry = { type: "message", message, ...(runId === undefined ? {} : { runId }) } as const;
      const [written] = await sessions.transcript(row).append([entry]);
      return { messageId: written?.id ?? "" };
    },
  };
  return {
    clock,
    files,
    sessions,
    notes: createRestartNotes({ clock, log, store, sessions, turns }),
    async said() {
      const row = sessions.get(key);
      const entries = row ? await sessions.transcript(row).after(0) : [];
      return entries.flatMap((entry) => (entry.type === "message" ? [textOf(entry.message)] : []));
    },
  };
}

async function withSession(): Promise<World> {
  const w = await world(createMemoryFiles());
  await w.sessions.ensure(key, { agentId: "main" });
  return w;
}

test("a session is told after the restart, once, with the words of who asked", async () => {
  const w = await withSession();
  await w.notes.add({ sessionKey: key, by: "config.apply", note: "a new model" });
  assert.equal(await w.said(), [], "not before");
  assert.is((await w.files.stat(file))?.mode, 0o600);
  const again = await world(w.files);
  await again.notes.tell();
  assert.equal(await again.said(), ["The gateway has restarted: config.apply asked for it.\n\na new model"]);
  assert.is(await w.files.read(file), undefined);
  await again.notes.tell();
  assert.is((await again.said()).length, 1);
});

test("a restart that does not happen is told too, with the reason", async () => {
  const w = await withSession();
  await w.notes.add({ sessionKey: key, by: "config.patch" });
  await w.notes.tell(new Failure("config", "refusing to bind"));
  assert.equal(await w.said(), ["The gateway was not restarted, which config.patch asked for: refusing to bind"]);
});

test("kill -9 at any write: who was promised to be told is told once", async () => {
  for (let crash = 1; crash < 20; crash++) {
    const w = await withSession();
    w.files.crashAfter(crash);
    const promised = await w.notes.add({ sessionKey: key, by: "config.apply" }).then(
      () => true,
      () => false,
    );
    await w.notes.tell();
    w.files.recover();
    for (let start = 0; start < 2; start++) {
      const again = await world(w.files);
      await again.notes.tell();
      const { length } = await again.said();
      assert.ok(length === 1 || (!promised && length === 0), `${length} times, killed at ${crash}`);
    }
    assert.is(await w.files.read(file), undefined);
  }
});

test("kill -9 while it is told by one start after the other: told once", async () => {
  for (let crash = 1; crash < 12; crash++) {
    const w = await withSession();
    await w.notes.add({ sessionKey: key, by: "config.apply" });
    const second = await world(w.files);
    w.files.crashAfter(crash);
    await second.notes.tell();
    w.files.recover();
    const third = await world(w.files);
    await third.notes.tell();
    assert.is((await third.said()).length, 1, `killed at ${crash}`);
  }
});

test("a conversation that began anew meanwhile is told all the same", async () => {
  const w = await withSession();
  await w.notes.add({ sessionKey: key, by: "config.apply" });
  await w.sessions.reset(key, "reset");
  await w.notes.tell();
  assert.is((await w.said()).length, 1);
});

test("a session that does not exist, or that was deleted meanwhile, is not made for it", async () => {
  const w = await withSession();
  await w.notes.add({ sessionKey: "agent:main:nobody", by: "config.apply" });
  assert.is(await w.files.read(file), undefined);
  await w.notes.add({ sessionKey: key, by: "config.apply" });
  await w.sessions.delete(key);
  await w.notes.tell();
  assert.is(w.sessions.size, 0);
  assert.is(await w.files.read(file), undefined);
});

test("what could not be told waits for the next start, and is no news after a day", async () => {
  const w = await withSession();
  await w.notes.add({ sessionKey: key, by: "config.apply" });
  w.files.before = (operation, path) => {
    if (path.endsWith(".jsonl") && operation !== "read") throw new Error("disk full");
  };
  await w.notes.tell();
  assert.ok(await w.files.read(file));
  w.files.before = undefined;
  w.clock.jump(25 * 3600_000);
  await w.notes.tell();
  assert.equal(await w.said(), []);
  assert.is(await w.files.read(file), undefined);
});

test("threat H: the list of who waits has an end, and a file that makes no sense is no list", async () => {
  const w = await withSession();
  for (let count = 0; count < 20; count++) await w.notes.add({ sessionKey: key, by: `request ${count}` });
  assert.is(JSON.parse((await w.files.read(file)) ?? "").length, 16);
  w.files.put(file, '[{"sessionKey":7}]');
  await w.notes.tell();
  assert.equal(await w.said(), []);
  assert.is(await w.files.read(file), undefined);
});

test.run();
