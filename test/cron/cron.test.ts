import { test } from "uvu";
import * as assert from "uvu/assert";
import { openScheduler } from "../../src/cron/scheduler.ts";
import type { Cron, CronOptions } from "../../src/cron/cron.ts";
import { replyOf } from "../../src/cron/delivery.ts";
import { createRunLog, MOST_RUNS } from "../../src/cron/run-log.ts";
import { createSystemEvents } from "../../src/cron/system-events.ts";
import { Failure } from "../../src/kit/error.ts";
import { textOf } from "../../src/session/message.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { type Answer, failureOf, talkingApp, type TalkingApp } from "../support/doubles.ts";

const main = "agent:main:main";
const minute = 60_000;
const hour = 60 * minute;

interface World extends TalkingApp {
  readonly store: ReturnType<typeof createMemoryStore>;
  readonly woken: string[];
  readonly told: Answer[];
  cron: Cron;
  /** A gateway that opens the jobs which another one left on the disk. */
  again(): Promise<Cron>;
  /** Ends the first run with this answer. */
  answer(text: string): Promise<void>;
  said(key: string): Promise<readonly string[]>;
}

async function world(more: Partial<CronOptions> = {}): Promise<World> {
  const app = await talkingApp();
  const { clock, log, turns, sessions } = app.app;
  const store = createMemoryStore();
  const [woken, told]: [string[], Answer[]] = [[], []];
  const options: CronOptions = {
    clock,
    log,
    store,
    turns,
    sessions,
    events: createSystemEvents({ store, clock, log }),
    stopped: () => undefined,
    maxRuns: () => 1,
    agentOf: (agentId = "main") => {
      if (agentId !== "main") throw new Failure("not-found", `no agent ${agentId}`);
      return { agentId, mainKey: main };
    },
    wake: (key) => void woken.push(key),
    replyTo: (delivery, key) => replyOf(delivery, sessions.get(key)),
    tell: (event) => void told.push(event),
    ...more,
  };
  const cron = await openScheduler(options);
  return {
    ...app,
    store,
    woken,
    told,
    cron,
    again: () => openScheduler({ ...options, events: createSystemEvents({ store, clock, log }) }),
    async answer(text) {
      await app.running.shift()?.end(text);
      await app.settle();
    },
    async said(key) {
      const row = sessions.get(key);
      const entries = row ? await sessions.transcript(row).after(0) : [];
      return entries.flatMap((entry) => (entry.type === "message" ? [textOf(entry.message)] : []));
    },
  };
}

const turn = (more: object = {}) => ({
  name: "look",
  schedule: { kind: "every" as const, everyMs: hour },
  sessionTarget: "isolated" as const,
  wakeMode: "now" as const,
  payload: { kind: "agentTurn" as const, message: "what is new?" },
  ...more,
});

const inMs = ({ host }: World, ms: number) => ({
  kind: "at" as const,
  at: new Date(host.clock.now() + ms).toISOString(),
});

test("a job of its own session is asked when it is due, with its id and name, and its answer told in the main one", async () => {
  const it = await world();
  const job = await it.cron.add(turn());
  await it.host.clock.advance(hour - 1);
  assert.is(it.running.length, 0);
  await it.host.clock.advance(1);
  assert.is(it.running[0]?.input.sessionKey, `agent:main:cron:${job.id}`);
  await it.answer("Nothing new.");
  assert.equal(await it.said(`agent:main:cron:${job.id}`), [`[cron:${job.id} look] what is new?`, "Nothing new."]);
  assert.equal(await it.said(main), ["Cron (look): Nothing new."]);
  const [run] = await it.cron.runs(job.id);
  assert.is(run?.status, "ok");
  assert.is(run?.summary, "Nothing new.");
  assert.is(run?.deliveryStatus, "not-delivered");
  assert.equal(
    it.told.map(({ action }) => action),
    ["added", "started", "finished"],
  );
});

test("each run of a job begins with nothing said", async () => {
  const it = await world();
  const { id } = await it.cron.add(turn({ delivery: { mode: "none" } }));
  await it.host.clock.advance(hour);
  await it.answer("one");
  await it.host.clock.advance(hour);
  await it.answer("two");
  assert.equal(await it.said(`agent:main:cron:${id}`), [`[cron:${id} look] what is new?`, "two"]);
  assert.equal(await it.said(main), [], "with delivery none nobody is told");
});

test("an answer goes to the chat that the main session last spoke with, with the turn itself", async () => {
  const it = await world();
  await it.app.sessions.ensure(main, { agentId: "main", delivery: { channel: "telegram", to: "42" } });
  await it.cron.add(turn({ delivery: { mode: "announce", channel: "last" } }));
  await it.host.clock.advance(hour);
  await it.answer("News.");
  const [run] = await it.cron.runs();
  assert.is(run?.deliveryStatus, "unknown");
  assert.equal(await it.said(main), [], "who reads it in the chat is not told twice");
});

test("the chat of a delivery is the one that is named, or the session's last", () => {
  const row = { delivery: { channel: "slack", to: "C1", accountId: "work", threadId: "7" } };
  const chat = { channel: "slack", accountId: "work", target: { to: "C1", thread: "7" } };
  assert.equal(replyOf({ channel: "last" }, row), chat);
  assert.equal(replyOf({ channel: "slack" }, row), chat);
  assert.equal(replyOf({ channel: "irc", to: "#a" }, row), {
    channel: "irc",
    accountId: "default",
    target: { to: "#a" },
  });
  assert.is(replyOf({ channel: "irc" }, row), undefined);
  assert.is(replyOf({}, { delivery: { channel: "webchat", to: "x" } }), undefined);
});

test("a job for the main session becomes something that it is told, once, and wakes it when that is not to wait", async () => {
  const it = await world();
  const event = { sessionTarget: "main" as const, payload: { kind: "systemEvent" as const, text: "tea is ready" } };
  await it.cron.add(turn({ ...event, schedule: inMs(it, minute) }));
  await it.host.clock.advance(minute);
  assert.equal(it.woken, [main]);
  assert.match((await it.store.read("system-events.json")) ?? "", /tea is ready/);
  assert.equal(await it.cron.list(), [], "a job of one moment is gone when it has run");
  assert.match(
    await failureOf(it.cron.add(turn({ sessionTarget: "main" }))),
    /sessionTarget is main and payload.kind agentTurn: main is told a systemEvent/,
  );
});

test("what was due while the gateway was down is done once, however often it was due", async () => {
  const it = await world();
  await it.cron.add(turn());
  await it.cron.close();
  await it.host.clock.advance(5 * hour + minute);
  const cron = await it.again();
  await it.host.clock.advance(0);
  assert.is(it.running.length, 1);
  await it.answer("once");
  await it.host.clock.advance(minute);
  assert.is(it.running.length, 0);
  assert.is((await cron.list())[0]?.state.nextRunAtMs, it.host.clock.now() - 2 * minute + hour);
  await cron.close();
});

test("what was due more than a day ago is not done any more, and says so", async () => {
  const it = await world();
  const { id } = await it.cron.add(turn({ schedule: inMs(it, hour), deleteAfterRun: false }));
  await it.cron.close();
  await it.host.clock.advance(30 * hour);
  const cron = await it.again();
  await it.host.clock.advance(0);
  assert.is(it.running.length, 0);
  const job = await cron.get(id);
  assert.not(job.enabled);
  assert.is(job.state.lastRunStatus, "skipped");
  assert.match(job.state.lastError ?? "", /it was due 29 h ago, while the gateway did not run/);
});

test("a run that a crash cut off goes on as the same run, wherever it was cut off", async () => {
  // Each write of the file is a place where the process may end: the next one opens what is there then.
  const it = await world();
  await it.cron.add(turn({ schedule: inMs(it, minute), deleteAfterRun: false, delivery: { mode: "none" } }));
  const before = (await it.store.read("cron/jobs.json")) ?? "";
  await it.host.clock.advance(minute);
  const begun = (await it.store.read("cron/jobs.json")) ?? "";
  assert.match(begun, /runningDueAtMs/);
  await it.answer("done");
  const said = await it.said(it.app.sessions.list({}).rows.find(({ key }) => key.includes("cron"))?.key ?? "");
  await it.cron.close();

  for (const text of [begun, before]) {
    await it.store.change("cron/jobs.json", () => text);
    const cron = await it.again();
    await it.host.clock.advance(minute);
    assert.is(it.running.length, 0, "the run is known, and is not made again");
    const [job] = await cron.list();
    assert.is(job?.state.lastRunStatus, "ok");
    assert.equal(await it.said(`agent:main:cron:${job?.id}`), said);
    assert.is((await cron.runs()).length, 1, "and is listed once");
    await cron.close();
  }
});

test("a clock that jumps ahead makes a job due at the next look, and one that is set back runs nothing twice", async () => {
  const it = await world();
  await it.cron.add(turn({ schedule: { kind: "cron", expr: "0 * * * *", tz: "UTC" }, delivery: { mode: "none" } }));
  it.host.clock.jump(hour);
  await it.host.clock.advance(minute);
  await it.answer("one");
  it.host.clock.jump(-hour);
  await it.host.clock.advance(2 * minute);
  const [job] = await it.cron.list();
  assert.is(job?.state.nextRunAtMs, Date.UTC(2026, 10, 21, 1), "it is not put off until the clock is there again");
  await it.host.clock.advance(hour);
  assert.is(it.running.length, 0, "the hour that it ran for is over");
  assert.is((await it.cron.list())[0]?.state.nextRunAtMs, Date.UTC(2026, 10, 21, 2));
});

test("jobs that are due together run as many at a time as the configuration says", async () => {
  const it = await world({ maxRuns: () => 2 });
  for (const name of ["a", "b", "c"]) await it.cron.add(turn({ name, delivery: { mode: "none" } }));
  await it.host.clock.advance(hour);
  assert.is(it.running.length, 2);
  assert.is(it.cron.running().length, 2);
  await it.answer("first");
  await it.host.clock.advance(0);
  assert.is(it.running.length, 2);
});

test("a job that fails is tried later and later, and goes back to its times when it works", async () => {
  const it = await world();
  const { id } = await it.cron.add(turn({ schedule: { kind: "every", everyMs: 10_000 } }));
  const fail = async (): Promise<void> => {
    it.running.shift()?.fail(new Failure("unavailable", "the model is away"));
    await it.settle();
  };
  await it.host.clock.advance(10_000);
  await fail();
  const { state } = await it.cron.get(id);
  assert.is(state.lastError, "the model is away");
  assert.is(state.consecutiveErrors, 1);
  assert.is(state.nextRunAtMs, it.host.clock.now() + 30_000);
  await it.host.clock.advance(30_000);
  await fail();
  assert.is((await it.cron.get(id)).state.nextRunAtMs, it.host.clock.now() + 60_000);
  await it.host.clock.advance(60_000);
  await it.answer("back");
  const after = (await it.cron.get(id)).state;
  assert.is(after.consecutiveErrors, 0);
  assert.is(after.nextRunAtMs, it.host.clock.now() + 10_000);
});

test("a job of one moment that failed for good is switched off and says why", async () => {
  const it = await world();
  const { id } = await it.cron.add(turn({ schedule: inMs(it, minute) }));
  await it.host.clock.advance(minute);
  it.running.shift()?.fail(new Failure("invalid-request", "there is no such model"));
  await it.settle();
  const job = await it.cron.get(id);
  assert.not(job.enabled);
  assert.is(job.state.lastError, "there is no such model");
});

test("a run can be asked for at any time, and one goes on at a time", async () => {
  const it = await world();
  const { id } = await it.cron.add(turn({ enabled: false }));
  assert.equal(await it.cron.run(id, "due"), { begun: false, reason: "not-due" });
  assert.is((await it.cron.run(id, "force")).begun, true);
  await it.settle();
  assert.equal(await it.cron.run(id, "force"), { begun: false, reason: "already-running" });
  await it.answer("so");
  assert.is((await it.cron.runs(id)).length, 1);
  assert.match(await failureOf(it.cron.run("nope", "force")), /not-found: there is no job "nope"/);
});

test("nothing runs while jobs are switched off, and what was due meanwhile runs when they are on", async () => {
  let why: string | undefined = "cron.enabled is false";
  const it = await world({ stopped: () => why });
  await it.cron.add(turn({ delivery: { mode: "none" } }));
  await it.host.clock.advance(2 * hour);
  assert.is(it.running.length, 0);
  why = undefined;
  await it.cron.refresh();
  await it.host.clock.advance(0);
  assert.is(it.running.length, 1);
});

test("a job can be changed, switched off and removed", async () => {
  const it = await world();
  const { id } = await it.cron.add(turn());
  await it.cron.update(id, { name: "watch", enabled: false });
  assert.is((await it.cron.get(id)).name, "watch");
  await it.host.clock.advance(2 * hour);
  assert.is(it.running.length, 0);
  const again = await it.cron.update(id, { enabled: true, schedule: { kind: "every", everyMs: minute, anchorMs: 0 } });
  assert.is(again.state.nextRunAtMs, it.host.clock.now() + minute);
  assert.match(await failureOf(it.cron.update(id, { schedule: { kind: "cron", expr: "x" } })), /has 1 field:/);
  assert.match(await failureOf(it.cron.update(id, { agentId: "ghost" })), /no agent ghost/);
  assert.is(await it.cron.remove(id), true);
  assert.is(await it.cron.remove(id), false);
  await it.host.clock.advance(hour);
  assert.is(it.running.length, 0);
});

test("the file of another program is read, older spellings included, and what is not known of it stays in it", async () => {
  const it = await world();
  const atMs = it.host.clock.now() + minute;
  const old = {
    id: "old-1",
    name: "tea",
    enabled: true,
    createdAtMs: 1,
    updatedAtMs: 1,
    sessionTarget: "isolated",
    wakeMode: "now",
    schedule: { kind: "at", atMs },
    isolation: { postToMainPrefix: "Cron" },
    state: {},
    payload: { kind: "agentTurn", message: "tea?", deliver: true, channel: "telegram", to: "42" },
  };
  const jobs = [old, { id: "../evil", name: "x" }, { ...old, id: "cmd", payload: { kind: "command", argv: ["rm"] } }];
  await it.store.change("cron/jobs.json", () => JSON.stringify({ version: 1, jobs, note: "mine" }));
  const cron = await it.again();
  const [first] = await cron.list();
  assert.equal(first?.schedule, { kind: "at", at: new Date(atMs).toISOString() });
  assert.equal(first?.delivery, { mode: "announce", channel: "telegram", to: "42" });
  await it.host.clock.advance(minute);
  await it.answer("yes");
  await it.host.clock.advance(0);
  const kept: Answer = JSON.parse((await it.store.read("cron/jobs.json")) ?? "");
  assert.is(kept.note, "mine");
  const text = JSON.stringify(kept);
  assert.match(text, /postToMainPrefix/);
  assert.match(text, /\.\.\/evil/);
  const cmd = kept.jobs.find(({ id }: Answer) => id === "cmd");
  assert.match(cmd.state.lastError, /runs no jobs of the kind command/);
});

test("a file that makes no sense is set aside, and is never fatal", async () => {
  const it = await world();
  await it.store.change("cron/jobs.json", () => '{"version":1,"jobs":[{"id"');
  const cron = await it.again();
  assert.equal(await cron.list(), []);
  const copies = (await it.store.keys("cron/")).filter((key) => key.includes("damaged"));
  assert.is(copies.length, 1);
  await cron.add(turn());
  assert.is((await cron.list()).length, 1);
});

test("the runs of a job are capped, each is listed once, and a torn line is passed over", async () => {
  const store = createMemoryStore();
  const runs = createRunLog(store);
  await store.change("cron/runs/a.jsonl", () => '{"ts":1,"jobId":"a","act');
  for (let ts = 0; ts < MOST_RUNS + 5; ts++)
    await runs.add({ ts, jobId: "a", action: "finished", status: "ok", runId: `run-${ts}` });
  await runs.add({ ts: 9999, jobId: "a", action: "finished", status: "error", runId: `run-${MOST_RUNS}` });
  const read = await runs.read("a");
  assert.is(read.length, MOST_RUNS);
  assert.is(read[0]?.ts, MOST_RUNS + 4);
});

test("threat F the turn of a job has the scopes of chatting, and obeys no command", async () => {
  const it = await world();
  await it.cron.add(turn({ payload: { kind: "agentTurn", message: "/reset" } }));
  const taken: Answer[] = [];
  const accept = it.turns.accept.bind(it.turns);
  it.turns.accept = (input) => {
    taken.push(input);
    return accept(input);
  };
  await it.host.clock.advance(hour);
  assert.equal(taken[0].origin.scopes, ["operator.read", "operator.write"]);
  assert.is(taken[0].commands, false);
  assert.is(it.running.length, 1);
});

test.run();
