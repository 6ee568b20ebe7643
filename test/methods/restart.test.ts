import { test } from "uvu";
import * as assert from "uvu/assert";
import type { RestartNote } from "../../src/flow/restart-notes.ts";
import { Failure } from "../../src/kit/error.ts";
import { failureOf, talkingApp, type TalkingApp } from "../support/doubles.ts";

const admin = { scopes: new Set(["operator.admin"]) };
const sessionKey = "agent:main:main";

interface World extends TalkingApp {
  /** What was asked for, in order. */
  readonly asked: (string | RestartNote)[];
  readonly request: (params?: object) => ReturnType<TalkingApp["call"]>;
}

async function world(keep: () => Promise<void> = () => Promise.resolve()): Promise<World> {
  const talking = await talkingApp();
  const asked: World["asked"] = [];
  Object.assign(talking.app, {
    restart: (reason: string) => void asked.push(reason),
    async tellAfterRestart(note: RestartNote) {
      await keep();
      asked.push(note);
    },
  });
  return { ...talking, asked, request: (params = {}) => talking.call("gateway.restart.request", params, admin) };
}

test("a preflight names what a restart waits for, and not what only waits itself", async () => {
  const { call, running, settle } = await world();
  const idle = await call("gateway.restart.preflight");
  assert.equal([idle.safe, idle.blockers, idle.summary], [true, [], "safe to restart now"]);
  await call("chat.send", { sessionKey, message: "one", idempotencyKey: "run-1" });
  await call("chat.send", { sessionKey, message: "two", idempotencyKey: "run-2", queueMode: "followup" });
  await settle();
  assert.is(running.length, 1);
  const busy = await call("gateway.restart.preflight");
  assert.is(busy.safe, false);
  assert.equal(busy.counts, { queueSize: 1, pendingReplies: 0, embeddedRuns: 1, activeTasks: 0, totalActive: 1 });
  assert.equal(busy.blockers, [{ kind: "embedded-run", count: 1, message: "1 running turn(s) end first" }]);
});

test("a restart is asked for after its answer is out, with the words for the log", async () => {
  const { asked, request, settle } = await world();
  const answer = await request({ reason: "a new model" });
  assert.equal([answer.ok, answer.status, answer.restart.mode], [true, "scheduled", "in-process"]);
  assert.equal(asked, []);
  await settle();
  assert.equal(asked, ["restart asked for by cli: a new model"]);
});

test("a request that means another process is refused, and restarts nothing", async () => {
  const { asked, request, settle, app } = await world();
  const { pid, port } = app.info;
  assert.match(await failureOf(request({ target: { pid: pid + 1 } })), /^conflict: this gateway is pid 4242/);
  assert.match(await failureOf(request({ target: { pid, port: port + 1 } })), /^conflict: /);
  await settle();
  assert.equal(asked, []);
  await request({ target: { pid, port } });
  await settle();
  assert.is(asked.length, 1);
});

test("a restart needs operator.admin", async () => {
  const { call } = await world();
  const refused = await failureOf(call("gateway.restart.request", {}, { scopes: new Set(["operator.write"]) }));
  assert.match(refused, /^forbidden: missing scope: operator.admin/);
});

test("the session that asks is told afterwards: that is on the disk before the restart is asked for", async () => {
  const { asked, request, settle } = await world();
  await request({ sessionKey: "main", note: "back soon" });
  await settle();
  assert.equal(asked, [{ sessionKey, by: "gateway.restart.request", note: "back soon" }, "restart asked for by cli"]);
});

test("threat M: a session key that is none, a note without end and a disk that is full restart nothing", async () => {
  const { asked, request, settle } = await world();
  assert.match(await failureOf(request({ sessionKey: "agent:main" })), /^invalid-request: /);
  assert.match(await failureOf(request({ sessionKey: "x\u0000y" })), /^invalid-request: /);
  assert.match(await failureOf(request({ sessionKey: "main", note: "x".repeat(4001) })), /ValiError/);
  const full = await world(() => Promise.reject(new Failure("failed", "disk full")));
  assert.match(await failureOf(full.request({ sessionKey: "main" })), "disk full");
  await settle();
  await full.settle();
  assert.equal([...asked, ...full.asked], []);
});

test.run();
