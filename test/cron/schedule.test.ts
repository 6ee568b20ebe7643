import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkSchedule, momentOf, nextRun, type Schedule } from "../../src/cron/schedule.ts";
import { Failure } from "../../src/kit/error.ts";

const utc = (text: string): number => Date.parse(text);
const vienna = (expr: string): Schedule => ({ kind: "cron", expr, tz: "Europe/Vienna" });

function times(schedule: Schedule, after: string, count: number): readonly string[] {
  const found: string[] = [];
  for (let at = utc(after); found.length < count;) {
    const next = nextRun(schedule, at);
    if (next === undefined) break;
    at = next;
    found.push(new Date(next).toISOString());
  }
  return found;
}

function refusal(schedule: Schedule): string {
  try {
    checkSchedule(schedule);
    return "taken";
  } catch (error) {
    return Failure.from(error).message;
  }
}

test("a moment without a zone is UTC, and a date alone is its beginning", () => {
  assert.is(momentOf("2026-12-24T18:00"), utc("2026-12-24T18:00:00Z"));
  assert.is(momentOf("2026-12-24 18:00:30"), utc("2026-12-24T18:00:30Z"));
  assert.is(momentOf("2026-12-24T18:00:00+01:00"), utc("2026-12-24T17:00:00Z"));
  assert.is(momentOf("2026-12-24"), utc("2026-12-24T00:00:00Z"));
  for (const wrong of ["", "tomorrow", "2026-13-01", "24.12.2026", "2026-12-24T25:00", "1795225068228"])
    assert.is(momentOf(wrong), undefined, wrong);
});

test("a moment comes once", () => {
  assert.equal(times({ kind: "at", at: "2026-12-24T18:00:00Z" }, "2026-11-21T00:00:00Z", 3), [
    "2026-12-24T18:00:00.000Z",
  ]);
});

test("an interval counts from its anchor, also when the clock is before that", () => {
  const hourly: Schedule = { kind: "every", everyMs: 3600_000, anchorMs: utc("2026-11-21T00:20:00Z") };
  assert.equal(times(hourly, "2026-11-21T00:20:00Z", 2), ["2026-11-21T01:20:00.000Z", "2026-11-21T02:20:00.000Z"]);
  assert.equal(times(hourly, "2020-01-01T00:00:00Z", 1), ["2020-01-01T00:20:00.000Z"]);
});

test("five fields are minutes, six have seconds first", () => {
  assert.equal(times({ kind: "cron", expr: "0 9 * * 1-5", tz: "UTC" }, "2026-11-20T10:00:00Z", 2), [
    "2026-11-23T09:00:00.000Z",
    "2026-11-24T09:00:00.000Z",
  ]);
  assert.equal(times({ kind: "cron", expr: "*/20 * * * * *", tz: "UTC" }, "2026-11-20T10:00:00Z", 2), [
    "2026-11-20T10:00:20.000Z",
    "2026-11-20T10:00:40.000Z",
  ]);
});

test("a day of the month and a weekday together mean either", () => {
  assert.equal(times({ kind: "cron", expr: "0 9 13 * 5", tz: "UTC" }, "2026-11-07T00:00:00Z", 2), [
    "2026-11-13T09:00:00.000Z",
    "2026-11-20T09:00:00.000Z",
  ]);
});

test("an expression keeps the time of the day when clocks change", () => {
  assert.equal(times(vienna("0 9 * * *"), "2026-03-28T00:00:00Z", 3), [
    "2026-03-28T08:00:00.000Z",
    "2026-03-29T07:00:00.000Z",
    "2026-03-30T07:00:00.000Z",
  ]);
});

test("a time that the change of clocks leaves out comes right after it, and one that it repeats comes once", () => {
  assert.equal(times(vienna("30 2 * * *"), "2026-03-28T12:00:00Z", 2), [
    "2026-03-29T01:00:00.000Z",
    "2026-03-30T00:30:00.000Z",
  ]);
  assert.equal(times(vienna("30 2 * * *"), "2026-10-24T12:00:00Z", 2), [
    "2026-10-25T00:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
  ]);
});

test("an interval by an expression goes through the repeated hour twice", () => {
  assert.equal(times(vienna("*/30 * * * *"), "2026-10-25T00:00:00Z", 4), [
    "2026-10-25T00:30:00.000Z",
    "2026-10-25T01:00:00.000Z",
    "2026-10-25T01:30:00.000Z",
    "2026-10-25T02:00:00.000Z",
  ]);
});

test("a wrong schedule is refused with the part that is wrong and what is allowed", () => {
  assert.match(refusal({ kind: "at", at: "tomorrow" }), /schedule\.at is "tomorrow": write a time such as/);
  assert.match(refusal({ kind: "every", everyMs: 10 }), /schedule\.everyMs is 10: write 1000/);
  assert.match(refusal({ kind: "every", everyMs: Number.NaN }), /schedule\.everyMs is NaN/);
  assert.match(refusal({ kind: "cron", expr: "* * *" }), /has 3 fields: write 5 \(minute hour day month weekday\)/);
  assert.match(refusal({ kind: "cron", expr: "61 * * * *" }), /minute: 61\. Allowed are minute 0-59/);
  assert.match(refusal({ kind: "cron", expr: "0 0 31 2 *", tz: "UTC" }), /a time that never comes/);
  assert.match(refusal({ kind: "cron", expr: "0 9 * * *", tz: "Mars/Olympus" }), /"Mars\/Olympus" is no time zone/);
  assert.is(refusal({ kind: "cron", expr: "@daily" }), "taken");
});

test.run();
