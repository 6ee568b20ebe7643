import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Runner, RunOutcome } from "../../src/agent/runner.ts";
import { announce } from "../../src/flow/announce.ts";
import { openTurns } from "../../src/flow/open-turns.ts";
import { createLogger } from "../../src/kit/log.ts";
import { openSessions } from "../../src/session/open-sessions.ts";
import { createMemoryLogs } from "../../src/store/memory-log.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { scriptedConfig } from "../support/app.ts";
import type { TurnEvent } from "../../src/flow/turns.ts";
import type { Device, DeviceToken } from "../../src/pairing/devices.ts";
import type { Caller } from "../../src/protocol/caller.ts";
import { noUsage, textOf } from "../../src/session/message.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { failureOf, rowOf, talkingApp, type TalkingApp } from "../support/doubles.ts";

const key = "agent:main:main";
const writer: Partial<Caller> = { scopes: new Set(["operator.write"]) };

let runs = 0;
function send(app: TalkingApp, message: string, who: Partial<Caller> = {}, more: object = {}) {
  const params = { sessionKey: "main", message, idempotencyKey: `run-${++runs}`, ...more };
  return app.call("chat.send", params, who);
}

async function texts({ app }: TalkingApp): Promise<readonly string[]> {
  const entries = await app.sessions.transcript(rowOf(app, key)).page({ limit: 100 });
  return entries.flatMap((entry) => (entry.type === "message" ? [textOf(entry.message)] : []));
}

test("threat F a command that a sender may not give neither runs nor stops a run", async () => {
  const app = await talkingApp();
  await send(app, "hello");
  await app.settle();
  const { sessionId } = rowOf(app.app, key);
  for (const command of [
    "/new",
    "/reset now",
    "/compact",
    "/verbose on",
    "/reasoning: on",
    "/usage full",
    "/send off",
  ]) {
    await send(app, command, writer);
    await app.settle();
  }
  assert.is(app.running[0]?.input.signal.aborted, false);
  await app.running.shift()?.end("still here");
  await app.settle();
  const row = rowOf(app.app, key);
  assert.is(row.sessionId, sessionId);
  assert.equal(
    [row.verboseLevel, row.reasoningLevel, row.responseUsage, row.sendPolicy],
    [undefined, undefined, undefined, undefined],
  );
  const refusals = (await texts(app)).filter((text) =>
    /needs operator\.admin, which this sender does not have/.test(text),
  );
  assert.is(refusals.length, 7);
});

test("threat F what changes the system prompt of a run is an administrator's to say", async () => {
  const app = await talkingApp();
  for (const more of [{ extraSystemPrompt: "obey" }, { promptMode: "none" }, { promptMode: "minimal" }]) {
    const ask = { message: "hi", idempotencyKey: `run-${++runs}`, ...more };
    assert.is(await failureOf(app.call("agent", ask, writer)), "forbidden: missing scope: operator.admin");
  }
  assert.is(app.running.length, 0);
});

test("threat F messages that came with other scopes are not answered by the same run, nor steer it", async () => {
  const app = await talkingApp({ config: { messages: { queue: { mode: "steer", debounceMs: 0 } } } });
  await send(app, "an administrator's");
  await app.settle();
  await send(app, "a writer's", writer);
  await app.settle();
  assert.equal(app.running[0]?.input.steer?.(), []);
  await send(app, "an administrator's again");
  await app.running.shift()?.end("one");
  await app.settle();
  await app.running.shift()?.end("two");
  await app.settle();
  await app.running.shift()?.end("three");
  await app.settle();
  assert.equal(await texts(app), [
    "an administrator's",
    "one",
    "a writer's",
    "two",
    "an administrator's again",
    "three",
  ]);
});

test("threat E a device that is revoked has its run stopped, and nothing that waits from it is answered", async () => {
  const device = paired(["operator.write"]);
  const app = await talkingApp({ devices: device });
  await send(app, "begin", { deviceId: "d1", ...writer });
  await app.settle();
  await send(app, "and this", { deviceId: "d1", ...writer });
  await send(app, "from somebody else", writer);
  await app.settle();
  const [run] = app.running;
  device.become([]);
  await app.turns.dismiss();
  await app.host.clock.advance(2000);
  assert.is(run?.input.signal.aborted, true);
  const after = app.running.slice(1).map(({ input }) => input.runId);
  assert.equal(after, [`run-${runs}`]);
  assert.is(app.turns.run(`run-${runs - 1}`)?.status, "aborted");
});

test("threat E a message that is accepted while its device is revoked is not answered", async () => {
  const device = paired(["operator.write"]);
  const app = await talkingApp({ devices: device });
  const sending = send(app, "quickly", { deviceId: "d1", ...writer });
  device.become(undefined);
  await app.turns.dismiss();
  await sending;
  await app.settle();
  assert.is(app.running.length, 0);
  assert.is(app.turns.run(`run-${runs}`)?.status, "aborted");
});

test("threat E a message that a crash left behind is set aside where its device was revoked meanwhile", async () => {
  const clock = createFakeClock();
  const [logs, store] = [createMemoryLogs(), createMemoryStore()];
  const log = createLogger(() => 0, []);
  let asked = 0;
  const aborted: RunOutcome = {
    status: "aborted",
    payloads: [],
    stopReason: "",
    usage: noUsage,
    provider: "",
    model: "",
  };
  const runner: Runner = {
    run: ({ signal }) =>
      new Promise((resolve) => {
        asked++;
        signal.addEventListener("abort", () => resolve(aborted));
      }),
    compact: () => Promise.reject(new Error("nothing is compacted here")),
  };
  const open = async (scopesOf: () => readonly string[]) => {
    const sessions = await openSessions({ logs, store, clock, log, stateFolder: "/state" });
    const commands = { sessions, clock, runner } as never;
    const turns = await openTurns({
      clock,
      log,
      logs,
      sessions,
      runner,
      config: scriptedConfig({}),
      commands,
      scopesOf,
    });
    return { sessions, turns };
  };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await clock.advance(0);
  };
  const origin = { channel: "webchat", sender: "d1", scopes: ["operator.admin"], deviceId: "d1" };
  const content = [{ type: "text" as const, text: "hi" }];
  const before = await open(() => ["operator.admin"]);
  await before.turns.accept({ runId: "left", sessionKey: key, agentId: "main", content, commands: true, origin });
  await settle();
  await before.turns.close();
  await before.sessions.close();
  assert.is(asked, 1);
  const after = await open(() => []);
  await after.turns.recover();
  await settle();
  assert.is(after.turns.run("left")?.status, "aborted");
  assert.is(asked, 1);
});

test("threat E a command has the scopes that its device has now, where those are fewer", async () => {
  const device = paired(["operator.admin"]);
  const app = await talkingApp({ devices: device });
  await send(app, "hello", { deviceId: "d1" });
  await app.settle();
  const { sessionId } = rowOf(app.app, key);
  device.become(["operator.write"]);
  await send(app, "/new", { deviceId: "d1" });
  await app.settle();
  assert.is(app.running[0]?.input.signal.aborted, false);
  assert.is(rowOf(app.app, key).sessionId, sessionId);
});

test("threat H what waits is bounded over all sessions, and refused before it is written", async () => {
  const app = await talkingApp({ config: { agents: { defaults: { model: "mock/m1", maxConcurrent: 1 } } } });
  const big = "x".repeat(1_000_000);
  let refused = "";
  for (let at = 0; at < 80 && refused === ""; at++) {
    const answer = await failureOf(send(app, big, {}, { sessionKey: `s${at}` }));
    if (answer.startsWith("rate-limited")) refused = answer;
  }
  assert.match(refused, /^rate-limited: \d\d messages wait for an answer already, over all sessions/);
  assert.is(app.app.sessions.size < 80, true);
});

test("threat H an agent's name is as short as a name, wherever one may be given", async () => {
  const app = await talkingApp();
  const agentId = "a".repeat(1_000_000);
  const seen = await failureOf(app.call("sessions.messages.subscribe", { key: "main", agentId }));
  assert.match(seen, "Invalid length");
  assert.is(app.connection.subscriptions.size, 0);
});

test("threat K hostile keys are refused, or name a session like any other", async () => {
  const app = await talkingApp();
  const refused = [
    "",
    " ",
    "a\nb",
    "a\0b",
    "\u2028",
    "\u001b[31m",
    "agent:",
    "agent::x",
    "agent:main:",
    "x".repeat(513),
  ];
  for (const sessionKey of refused) {
    const seen = await failureOf(send(app, "hi", {}, { sessionKey }));
    assert.not.match(seen, /^answered/, JSON.stringify(sessionKey));
  }
  for (const sessionKey of ["__proto__", "constructor", "toString", "../../etc/passwd", "a/b\\c", "%2e%2e"]) {
    const { runId } = await send(app, "hi", {}, { sessionKey });
    await app.settle();
    const run = app.running.shift();
    assert.is(run?.input.runId, runId);
    assert.match(run?.input.sessionKey ?? "", /^agent:main:/);
    assert.match(run?.input.sessionId ?? "", /^[\w-]+$/);
    await run?.end("ok");
  }
  for (const agent of ["__proto__", "constructor", "other", ".."])
    assert.match(await failureOf(send(app, "hi", {}, { sessionKey: `agent:${agent}:main` })), /no longer exists/);
});

test("threat K run ids are only names, whatever they look like", async () => {
  const app = await talkingApp();
  for (const idempotencyKey of ["__proto__", "constructor", "a\nb\0", "../x", "\ud800", "x".repeat(256)]) {
    assert.is((await send(app, "hi", {}, { idempotencyKey })).status, "started");
    await app.settle();
    await app.running.shift()?.end("ok");
    await app.settle();
    assert.is((await send(app, "hi", {}, { idempotencyKey })).status, "ok", JSON.stringify(idempotencyKey));
  }
  assert.is(app.turns.run("hasOwnProperty"), undefined);
});

test("threat H the longer an answer is, the more rarely all of it is told again", async () => {
  const clock = createFakeClock();
  let tell: (event: TurnEvent) => void = () => undefined;
  let sent = 0;
  const end = announce({
    clock,
    turns: { onEvent: (listener: typeof tell) => ((tell = listener), () => undefined) } as never,
    sessions: { get: () => undefined, onChange: () => () => undefined } as never,
    connections: { all: () => [] },
    broadcast: (_, payload) => void (sent += JSON.stringify(payload).length),
    rowOf: () => ({}),
    messageOf: () => undefined,
    blocks: () => undefined,
  });
  const delta = "x".repeat(4000);
  let text = "";
  for (let at = 0; at < 500; at++) {
    text += delta;
    const event = { type: "text" as const, delta, text, itemId: "1" };
    tell({ kind: "progress", event, runId: "r", sessionKey: key, sessionId: "s", agentId: "main", ts: 0 });
    await clock.advance(40);
  }
  // 2 MB in 20 seconds: four hundred times over, had it been told every 50 ms.
  assert.ok(sent < 40 * text.length, `${sent} letters were sent for ${text.length}`);
  await end();
});

test("threat H how runs ended is remembered, as long as that is not very much", async () => {
  const app = await talkingApp();
  const answer = "y".repeat(4 * 1024 * 1024);
  for (let at = 0; at < 6; at++) {
    await send(app, "hi", {}, { idempotencyKey: `long-${at}` });
    await app.settle();
    await app.running.shift()?.end(answer);
    await app.settle();
  }
  const remembered = Array.from({ length: 6 }, (_, at) => app.turns.run(`long-${at}`)?.outcome !== undefined);
  assert.equal(remembered, [false, false, true, true, true, true]);
  assert.is(app.turns.run("long-0")?.status, "ok");
});

/** A registry with one device, whose scopes the test changes. */
function paired(scopes: readonly string[]) {
  let device: Device | undefined;
  const become = (now: readonly string[] | undefined): void => {
    const token: DeviceToken = { role: "operator", scopes: now ?? [], createdAtMs: 0 };
    device = now && ({ deviceId: "d1", tokens: [token] } as unknown as Device);
  };
  become(scopes);
  return { become, get: (id: string) => (id === "d1" ? device : undefined) };
}

test.run();
