import { test } from "uvu";
import * as assert from "uvu/assert";
import { main } from "../../src/main.ts";
import { fakeGateway } from "../client/fake-gateway.ts";
import { scriptedHost } from "../support/host.ts";
import { settle } from "../support/fake-clock.ts";
import { home, run } from "./run.ts";

const own = "2026-11-21T01:52:57.017Z warn  gateway something odd code=7";
const odd = "not a\u001b[2J log line";
const tail = () => ({ file: "/l/gateway.log", cursor: 120, size: 120, lines: [own, odd] });

test("logs shows the file's name and its lines, made harmless", async () => {
  const gateway = fakeGateway({ methods: { "logs.tail": tail } });
  const { code, stdout } = await run(["logs"], { files: home, dial: gateway.dial });
  assert.is(code, 0);
  assert.is(
    stdout,
    "Log file: /l/gateway.log\n2026-11-21T01:52:57.017Z warn  gateway something odd code=7\nnot a?[2J log line\n",
  );
  assert.equal(gateway.calls, [{ method: "logs.tail", params: { limit: 200, maxBytes: 250_000 } }]);
});

test("logs --json is one object a line: meta, log, raw", async () => {
  const { stdout } = await run(["logs", "--json"], {
    files: home,
    dial: fakeGateway({ methods: { "logs.tail": tail } }).dial,
  });
  const records = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  assert.equal(records, [
    { type: "meta", file: "/l/gateway.log", cursor: 120, size: 120 },
    {
      type: "log",
      time: "2026-11-21T01:52:57.017Z",
      level: "warn",
      subsystem: "gateway",
      message: "something odd",
      fields: { code: "7" },
      raw: own,
    },
    { type: "raw", raw: odd },
  ]);
});

test("--limit, --max-bytes and --log-level bound what is shown", async () => {
  const gateway = fakeGateway({ methods: { "logs.tail": tail } });
  const line = ["logs", "--plain", "--limit", "5", "--max-bytes", "1000", "--log-level", "error"];
  const { stdout } = await run(line, { files: home, dial: gateway.dial });
  assert.is(stdout, "not a?[2J log line\n");
  assert.equal(gateway.calls[0]?.params, { limit: 5, maxBytes: 1000 });
});

test("nobody there: says so with the block and a hint, exit 1", async () => {
  const { code, stdout, stderr } = await run(["logs"], { files: home });
  assert.equal([code, stdout], [1, ""]);
  assert.match(stderr, /^Gateway not reachable\. Is it running and accessible\?\n/);
  assert.match(stderr, "Gateway target: ws://127.0.0.1:18789\nSource: local loopback\n");
  assert.match(stderr, /Hint: run `clawdbot doctor`\.\n$/);
});

test("--follow goes on from the cursor, waits for a gateway that restarts, and ends with an interrupt", async () => {
  let up = true;
  const gateway = fakeGateway({ methods: { "logs.tail": tail } });
  const away = scriptedHost();
  const host = scriptedHost({
    name: "clawdbot",
    args: ["logs", "--follow", "--interval", "1000"],
    files: home,
    dial: (url, events, options) => (up ? gateway.dial(url, events, options) : away.net.dial(url, events, options)),
  });
  const ended = main(host);
  await settle();
  up = false;
  await host.clock.advance(1000);
  assert.match(host.terminal.stderr.text, "trying again");
  up = true;
  await host.clock.advance(1000);
  host.processes.signal("SIGINT");
  assert.is(await ended, 0);
  assert.equal(
    gateway.calls.map(({ params }) => params),
    [
      { limit: 200, maxBytes: 250_000 },
      { limit: 200, maxBytes: 250_000, cursor: 120 },
    ],
  );
});

test.run();
