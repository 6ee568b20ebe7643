import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway } from "../client/fake-gateway.ts";
import { home, run } from "./run.ts";

type Answer = Record<string, string>;

function open() {
  return fakeGateway({
    methods: { send: ({ idempotencyKey }) => ({ runId: idempotencyKey, messageId: "77", channel: "telegram" }) },
  });
}

test("message send asks the gateway to send it, once", async () => {
  const gateway = open();
  const line = ["message", "send", "--channel", "telegram", "--to", "+15551234567", "--account", "work", "-m", "Hi"];
  const { code, stdout } = await run(line, { files: home, dial: gateway.dial });
  assert.is(stdout, "✓ Sent to +15551234567 by telegram (message 77).\n");
  assert.is(code, 0);
  const [call, ...others] = gateway.calls;
  const { idempotencyKey, ...params } = { ...(call?.params as Answer) };
  assert.equal(params, { channel: "telegram", to: "+15551234567", accountId: "work", message: "Hi" });
  assert.match(String(idempotencyKey), /^[0-9a-f-]{36}$/);
  assert.equal(others, []);
  assert.equal(gateway.connections[0]?.connect?.["scopes"], ["operator.write"]);
});

test("message send --json is what the gateway answered, and a thread and a quoted message can be named", async () => {
  const gateway = open();
  const line = ["message", "send", "--to", "007", "--message", "Hi", "--thread", "42", "--reply-to", "9", "--json"];
  const { stdout } = await run(line, { files: home, dial: gateway.dial });
  const { runId, ...answer } = JSON.parse(stdout);
  assert.equal(answer, { messageId: "77", channel: "telegram" });
  assert.is(typeof runId, "string");
  const { idempotencyKey: _, ...params } = { ...(gateway.calls[0]?.params as Answer) };
  assert.equal(params, { to: "007", message: "Hi", threadId: "42", replyToId: "9" });
});

test("message send says what is missing before it asks anybody", async () => {
  const gateway = open();
  for (const [line, what] of [
    [["-m", "Hi"], /--to is missing/],
    [["--to", "1"], /--message is missing/],
    [["--to", "1", "-m", " "], /--message is empty/],
  ] as const) {
    const { code, stderr } = await run(["message", "send", ...line], { files: home, dial: gateway.dial });
    assert.is(code, 2);
    assert.match(stderr, what);
  }
  assert.equal(gateway.calls, []);
});

test.run();
