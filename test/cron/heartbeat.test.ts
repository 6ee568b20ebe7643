import { test } from "uvu";
import * as assert from "uvu/assert";
import { asksNothing, isActive, withoutAck } from "../../src/cron/heartbeat-rules.ts";
import { heartbeatsOf } from "../../src/cron/heartbeat-settings.ts";
import { createSystemEvents } from "../../src/cron/system-events.ts";
import { Failure } from "../../src/kit/error.ts";
import { textOf } from "../../src/session/message.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { scriptedConfig } from "../support/app.ts";
import { type Answer, talkingApp, type TalkingApp } from "../support/doubles.ts";

await import("../../src/cron/beat.ts");

const main = "agent:main:main";
const every = 30 * 60_000;

async function beating(heartbeat: object = {}, more: object = {}): Promise<TalkingApp> {
  const app = await talkingApp({ config: { agents: { defaults: { model: "mock/m1", heartbeat } }, ...more } });
  await app.automation.start();
  return app;
}

async function said({ app }: TalkingApp, key = main): Promise<readonly string[]> {
  const row = app.sessions.get(key);
  const entries = row ? await app.sessions.transcript(row).after(0) : [];
  return entries.flatMap((entry) => (entry.type === "message" ? [textOf(entry.message)] : []));
}

async function answer(app: TalkingApp, text: string): Promise<void> {
  await app.running.shift()?.end(text);
  await app.settle();
}

const settingsOf = (config: object) => heartbeatsOf(scriptedConfig(config).current().value);

test("a heartbeat is made every 30 minutes where a model was chosen, and elsewhere none", () => {
  assert.is(settingsOf({ agents: { defaults: { model: "mock/m1" } } })[0]?.everyMs, every);
  assert.is(settingsOf({})[0]?.everyMs, undefined);
  assert.is(settingsOf({ agents: { defaults: { model: "clawlet/echo" } } })[0]?.everyMs, undefined);
  const asked = { model: "clawlet/echo", heartbeat: { every: "5m" } };
  assert.is(settingsOf({ agents: { defaults: asked } })[0]?.everyMs, 300_000);
  for (const off of ["0m", "0", "never"])
    assert.is(settingsOf({ agents: { defaults: { model: "m/1", heartbeat: { every: off } } } })[0]?.every, "disabled");
});

test("an agent with a heartbeat of its own makes it that only such agents have any", () => {
  const list = [{ id: "a" }, { id: "b", heartbeat: { every: "1h", target: "none" } }];
  const [a, b] = settingsOf({ agents: { defaults: { model: "m/1", heartbeat: { ackMaxChars: 5 } }, list } });
  assert.is(a?.everyMs, undefined);
  assert.is(b?.everyMs, 3600_000);
  assert.is(b?.target, "none");
  assert.is(b?.ackMaxChars, 5);
});

test("a checklist of headings, blanks and comments asks for nothing", () => {
  for (const nothing of ["", "# Heartbeat\n\n", "<!-- add\ntasks -->\n## Later\n- [ ]\n-\n"])
    assert.ok(asksNothing(nothing), nothing);
  for (const something of ["# Heartbeat\n- look at the mail", "water the plants", "#hashtag"])
    assert.not(asksNothing(something), something);
});

test("active hours are those of the day in their zone, and may go over midnight", () => {
  const at = (text: string): number => Date.parse(text);
  const day = { start: "08:00", end: "22:00", timezone: "Europe/Vienna" };
  assert.ok(isActive(day, at("2026-11-21T07:00:00Z"), "UTC"));
  assert.not(isActive(day, at("2026-11-21T06:59:00Z"), "UTC"));
  assert.not(isActive(day, at("2026-11-21T21:00:00Z"), "UTC"));
  const night = { start: "22:00", end: "06:00" };
  assert.ok(isActive(night, at("2026-11-21T23:30:00Z"), "UTC"));
  assert.not(isActive(night, at("2026-11-21T12:00:00Z"), "UTC"));
  assert.ok(isActive({ start: "00:00", end: "24:00", timezone: "No/Zone" }, at("2026-11-21T12:00:00Z"), "UTC"));
});

test("HEARTBEAT_OK with little beside it says nothing, and is never shown", () => {
  assert.is(withoutAck("HEARTBEAT_OK", 300), "");
  assert.is(withoutAck("**HEARTBEAT_OK** all quiet.", 300), "");
  assert.is(withoutAck("All quiet. HEARTBEAT_OK", 300), "");
  assert.is(withoutAck(`HEARTBEAT_OK ${"x".repeat(301)}`, 300), "x".repeat(301));
  assert.is(withoutAck("The word HEARTBEAT_OK in the middle", 300), "The word HEARTBEAT_OK in the middle");
});

test("a heartbeat asks in the main session, and what it says goes to the chat that last spoke there", async () => {
  const app = await beating();
  await app.app.sessions.ensure(main, { agentId: "main", delivery: { channel: "telegram", to: "42" } });
  await app.host.clock.advance(every);
  assert.is(app.running[0]?.input.sessionKey, main);
  await answer(app, "Your train is late.");
  assert.equal(
    app.planned.map(({ to, text }) => [to.channel, to.target.to, text]),
    [["telegram", "42", "Your train is late."]],
  );
  const last: Answer = await app.call("last-heartbeat");
  assert.is(last.status, "sent");
  assert.is(last.preview, "Your train is late.");
  const told: Answer = app.events.find(({ event }) => event === "heartbeat")?.payload;
  assert.is(told.status, "sent");
  assert.is(told.preview, undefined, "what was said is not for everybody who is connected");
});

test("a heartbeat that finds nothing is told to nobody", async () => {
  const app = await beating();
  await app.app.sessions.ensure(main, { agentId: "main", delivery: { channel: "telegram", to: "42" } });
  await app.host.clock.advance(every);
  await answer(app, "HEARTBEAT_OK");
  assert.equal(app.planned, []);
  assert.is((await app.call("last-heartbeat")).status, "ok-token");
});

test("without a chat to send to, a heartbeat says so", async () => {
  const app = await beating();
  await app.host.clock.advance(every);
  await answer(app, "Look.");
  const last = await app.call("last-heartbeat");
  assert.equal([last.status, last.reason, last.preview], ["skipped", "no-route", "Look."]);
});

test("a heartbeat keeps no session alive: only people do", async () => {
  const app = await beating();
  await app.exchange(main, "hello", "hi");
  const { lastInteractionAt } = app.app.sessions.get(main) ?? {};
  await app.host.clock.advance(every);
  await answer(app, "HEARTBEAT_OK");
  assert.is(app.app.sessions.get(main)?.lastInteractionAt, lastInteractionAt);
});

test("a busy session is left alone, and heartbeats can be switched off", async () => {
  const app = await beating({ every: "5m" });
  await app.call("chat.send", { sessionKey: "main", message: "long work", idempotencyKey: "r1" });
  await app.settle();
  await app.host.clock.advance(300_000);
  assert.is((await app.call("last-heartbeat")).reason, "requests-in-flight");
  await answer(app, "done");
  await app.call("set-heartbeats", { enabled: false });
  await app.host.clock.advance(900_000);
  assert.is(app.running.length, 0);
});

test("wake tells the main session at once, before the words that ask for it", async () => {
  const app = await beating({ every: "0m" });
  assert.equal(await app.call("wake", { mode: "now", text: "The washing is done.\nTwice." }), { ok: true });
  await app.settle();
  const [first = ""] = await said(app);
  assert.match(first, /^System: \[2026-11-21T00:00:00\.000Z\] The washing is done\.\n {2}Twice\.\n\nTell the person/);
  await answer(app, "HEARTBEAT_OK");
  assert.equal(app.app.systemEvents.waiting, []);
});

test("what waits for the next turn is told with it, whoever writes", async () => {
  const app = await beating({ every: "0m" });
  await app.call("wake", { mode: "next-heartbeat", text: "a parcel came" });
  await app.settle();
  assert.is(app.running.length, 0);
  assert.equal((await app.call("status", {})).queuedSystemEvents, ["a parcel came"]);
  await app.exchange(main, "good morning", "morning");
  assert.match((await said(app))[0] ?? "", /^System: \[.*\] a parcel came\n\ngood morning$/);
  await app.exchange(main, "and now?", "nothing");
  assert.is((await said(app))[2], "and now?");
});

test("what comes while a session is busy is told when it is free", async () => {
  const app = await beating({ every: "0m" });
  await app.call("chat.send", { sessionKey: "main", message: "long work", idempotencyKey: "r1" });
  await app.settle();
  await app.call("wake", { mode: "now", text: "fire" });
  await app.settle();
  assert.is(app.running.length, 1);
  await answer(app, "done");
  assert.is(app.running.length, 1);
  assert.match((await said(app)).at(-1) ?? "", /fire/);
  await answer(app, "HEARTBEAT_OK");
  assert.is(app.running.length, 0);
});

test("a turn that could not be made leaves what waits for the next one, and does not try again by itself", async () => {
  const app = await beating({ every: "0m" });
  await app.call("wake", { mode: "now", text: "x" });
  await app.settle();
  app.running.shift()?.fail(new Failure("unavailable", "no model"));
  await app.settle();
  assert.is((await app.call("last-heartbeat")).status, "failed");
  assert.is(app.running.length, 0);
});

test("what waits is on the disk, told once over any crash, and made once by whoever makes it again", async () => {
  const app = await talkingApp();
  const { clock, log, sessions } = app.app;
  const store = createMemoryStore();
  const open = async () => {
    const events = createSystemEvents({ store, clock, log });
    await events.reload(sessions);
    return events;
  };
  const first = await open();
  const event = { id: "e1", sessionKey: main, text: "tea", now: true };
  assert.is(await first.add(event), "queued");
  assert.is(await first.add(event), "coalesced");
  const second = await open();
  assert.is(second.waiting.length, 1);
  const line = second.remarks(main);
  // The process ends after the message was written, and before the list was.
  const row = await sessions.ensure(main, { agentId: "main" });
  const message = { role: "user" as const, content: [{ type: "text" as const, text: `${line}\n\nhi` }], timestamp: 0 };
  await sessions.transcript(row).append([{ type: "message", message }]);
  const third = await open();
  assert.equal(third.waiting, []);
  assert.is(await third.add(event), "coalesced", "a job that was cut off does not tell it again");
});

test("what waits is capped, and a damaged list is never fatal", async () => {
  const app = await talkingApp();
  const { clock, log, sessions } = app.app;
  const store = createMemoryStore();
  const events = createSystemEvents({ store, clock, log });
  for (let n = 0; n < 50; n++) await events.add({ id: `e${n}`, sessionKey: main, text: `event ${n}`, now: false });
  assert.is(events.waiting.length, 20);
  assert.is(events.waiting.at(-1)?.text, "event 49");
  await events.add({ id: "long", sessionKey: "agent:main:x", text: "é".repeat(10_000), now: false });
  assert.ok((events.waiting.at(-1)?.text.length ?? 0) <= 4096);
  await store.change("system-events.json", () => "{oops");
  await events.reload(sessions);
  assert.equal(events.waiting, []);
});

test.run();
