import { test } from "uvu";
import * as assert from "uvu/assert";
import { logLine } from "../../src/cli/log-line.ts";

test("a line of our own log is taken apart", () => {
  assert.equal(logLine("2026-11-21T01:52:57.017Z info  gateway listening pid=12"), {
    time: "2026-11-21T01:52:57.017Z",
    level: "info",
    subsystem: "gateway",
    message: "listening",
    fields: { pid: "12" },
  });
});

test("a JSON line of an OpenClaw gateway is taken apart", () => {
  const raw = JSON.stringify({
    "0": '{"subsystem":"gateway"}',
    "1": "signal SIGTERM received",
    _meta: { logLevelName: "WARN" },
    time: "2026-11-21T01:52:57.017Z",
  });
  assert.equal(logLine(raw), {
    time: "2026-11-21T01:52:57.017Z",
    level: "warn",
    subsystem: "gateway",
    message: "signal SIGTERM received",
  });
});

test("any other line is not understood", () => {
  for (const raw of ["", "hello", "[1]", '{"a":1}']) assert.is(logLine(raw), undefined);
});

test.run();
