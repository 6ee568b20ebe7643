import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { configSchema } from "../../src/config/schema.ts";
import { hostOffset, isStale } from "../../src/session/freshness.ts";

const hour = 3_600_000;
const utc = () => 0;

/** Offsets of a real time zone, by the tables of the machine. */
function zone(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
  return (at) => Math.round((Date.parse(`${format.format(at).replace(" ", "T")}Z`) - at) / 60_000);
}

interface Case {
  readonly session?: unknown;
  readonly started: string;
  readonly wrote?: string;
  readonly now: string;
  readonly key?: string;
  readonly channel?: string;
  readonly chatType?: "direct" | "group" | "channel";
  readonly offset?: (at: number) => number;
}

function stale({ session = {}, started, wrote = started, now, key = "agent:main:main", offset = utc, ...row }: Case) {
  const settings = v.parse(configSchema, { session }).session;
  const times = { startedAt: Date.parse(started), lastInteractionAt: Date.parse(wrote) };
  return isStale({ key, ...row, ...times }, settings, { now: Date.parse(now), offset });
}

test("with nothing configured a day ends at four", () => {
  const started = "2026-11-20T12:00:00Z";
  assert.is(stale({ started, now: "2026-11-20T23:59:00Z" }), false);
  assert.is(stale({ started, now: "2026-11-21T03:59:59Z" }), false);
  assert.is(stale({ started, wrote: "2026-11-21T03:59:00Z", now: "2026-11-21T04:00:00Z" }), true);
  assert.is(stale({ started: "2026-11-21T04:00:00Z", now: "2026-11-22T03:59:00Z" }), false);
});

test("the hour is local", () => {
  const [started, now] = ["2026-11-20T12:00:00Z", "2026-11-21T03:30:00Z"];
  assert.is(stale({ started, now, offset: zone("Europe/Vienna") }), true);
  assert.is(stale({ started, now, offset: zone("America/New_York") }), false);
  assert.is(stale({ started, now, session: { reset: { atHour: 3 } } }), true);
  assert.is(stale({ started, now: "2026-11-20T23:59:00Z", session: { reset: { atHour: 0 } } }), false);
});

test("a pause ends a session where one is configured, whichever comes first", () => {
  const session = { reset: { mode: "daily", idleMinutes: 30 } };
  const started = "2026-11-20T12:00:00Z";
  assert.is(stale({ session, started, wrote: "2026-11-20T13:00:00Z", now: "2026-11-20T13:29:59Z" }), false);
  assert.is(stale({ session, started, wrote: "2026-11-20T13:00:00Z", now: "2026-11-20T13:30:00Z" }), true);
  assert.is(stale({ session, started, wrote: "2026-11-21T03:59:00Z", now: "2026-11-21T04:01:00Z" }), true);
});

test("with the mode idle days do not count, and an hour is the pause unless another is given", () => {
  const started = "2026-11-19T12:00:00Z";
  const now = "2026-11-21T12:00:00Z";
  const session = { reset: { mode: "idle" } };
  assert.is(stale({ session, started, wrote: "2026-11-21T11:01:00Z", now }), false);
  assert.is(stale({ session, started, wrote: "2026-11-21T11:00:00Z", now }), true);
  assert.is(stale({ session: { reset: { mode: "idle", idleMinutes: 5000 } }, started, now }), false);
});

test("the older idleMinutes alone means no more than it says", () => {
  const case_ = { started: "2026-11-19T12:00:00Z", wrote: "2026-11-21T11:00:00Z", now: "2026-11-21T12:00:00Z" };
  assert.is(stale({ ...case_, session: { idleMinutes: 120 } }), false);
  assert.is(stale({ ...case_, session: { idleMinutes: 60 } }), true);
  assert.is(stale({ ...case_, session: { idleMinutes: 120, reset: { atHour: 4 } } }), true);
});

test("types of chats and channels have rules of their own, the channel's above all", () => {
  const at = { started: "2026-11-21T10:00:00Z", now: "2026-11-21T12:00:00Z" };
  const session = {
    resetByType: {
      direct: { mode: "idle", idleMinutes: 240 },
      group: { mode: "idle", idleMinutes: 60 },
      thread: { mode: "idle", idleMinutes: 180 },
    },
    resetByChannel: { slack: { mode: "idle", idleMinutes: 600 } },
  };
  assert.is(stale({ ...at, session }), false);
  assert.is(stale({ ...at, session, chatType: "group" }), true);
  assert.is(stale({ ...at, session, chatType: "channel" }), true);
  assert.is(stale({ ...at, session, key: "agent:main:telegram:group:1" }), true);
  assert.is(stale({ ...at, session, key: "agent:main:telegram:group:1:topic:2", chatType: "group" }), false);
  assert.is(stale({ ...at, session, key: "agent:main:slack:group:1", chatType: "group" }), false);
  assert.is(stale({ ...at, session, chatType: "group", channel: "slack" }), false);
  assert.is(stale({ ...at, session, key: "agent:main:constructor:group:1" }), true);
  assert.is(stale({ ...at, session: { resetByType: { dm: { idleMinutes: 60 } } } }), true);
});

test("a session that nobody wrote to counts from its start, and a clock set back ends none", () => {
  const settings = v.parse(configSchema, { session: { reset: { idleMinutes: 60 } } }).session;
  const row = { key: "agent:main:main", startedAt: 10 * hour };
  assert.is(isStale(row, settings, { now: 11 * hour, offset: utc }), true);
  assert.is(isStale(row, settings, { now: -100 * hour, offset: utc }), false);
});

test("where clocks are changed there is one new day a day, whatever the hour", () => {
  for (const [timeZone, from] of [
    ["Europe/Vienna", "2026-03-27T00:00:00Z"],
    ["Europe/Vienna", "2026-10-23T00:00:00Z"],
    ["America/New_York", "2026-03-06T00:00:00Z"],
    ["America/New_York", "2026-10-30T00:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-03T00:00:00Z"],
    ["America/Santiago", "2026-04-03T00:00:00Z"],
    ["America/Havana", "2026-10-30T00:00:00Z"],
  ] as const) {
    const offset = zone(timeZone);
    for (let atHour = 0; atHour < 24; atHour++) {
      let [started, days] = [Date.parse(from), 0];
      const settings = v.parse(configSchema, { session: { reset: { atHour } } }).session;
      for (let now = started; now < Date.parse(from) + 5 * 24 * hour; now += hour / 2) {
        if (!isStale({ key: "agent:main:main", startedAt: started }, settings, { now, offset })) continue;
        const gap = now - started;
        assert.ok(days === 0 || (gap >= 22 * hour && gap <= 26 * hour), `${timeZone} ${atHour} ${gap / hour}`);
        [started, days] = [now, days + 1];
      }
      assert.ok(days === 4 || days === 5, `${timeZone} ${atHour}: ${days} days`);
    }
  }
});

test("the machine's own offset is what local time is ahead by", () => {
  const at = Date.UTC(2026, 6, 1, 12);
  const local = new Date(at);
  assert.is(
    Date.UTC(2026, local.getMonth(), local.getDate(), local.getHours(), local.getMinutes()),
    at + hostOffset(at) * 60_000,
  );
});

test.run();
