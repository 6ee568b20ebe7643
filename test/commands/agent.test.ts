import { test } from "uvu";
import * as assert from "uvu/assert";
import { main } from "../../src/main.ts";
import type { JsonObject } from "../../src/kit/json.ts";
import { fakeGateway, Refusal, type FakeGateway } from "../client/fake-gateway.ts";
import { until } from "../support/gateway-process.ts";
import { Exit, scriptedHost } from "../support/host.ts";
import { home, run } from "./run.ts";

const key = "agent:main:main";

/** The second answer of `agent`. */
function final(runId: unknown, text: string): JsonObject {
  const meta = { durationMs: 5, agentMeta: { sessionId: "s1", provider: "mock", model: "m1" }, aborted: false };
  return { runId, status: "ok", summary: "completed", result: { payloads: [{ text, mediaUrl: null }], meta } };
}

function accept(gateway: FakeGateway, runId: unknown): void {
  gateway.send({ type: "res", ok: true, payload: { runId, sessionKey: key, agentId: "main", status: "accepted" } });
}

function agentEvent(runId: unknown, stream: string, data: JsonObject): JsonObject {
  return { type: "event", event: "agent", payload: { runId, sessionKey: key, agentId: "main", stream, data } };
}

function firstParams({ calls }: FakeGateway): JsonObject {
  const [call] = calls;
  return (call?.params ?? {}) as JsonObject;
}

/** A gateway whose agent streams these words. */
function speaking(...words: readonly string[]) {
  return fakeGateway({
    methods: {
      agent({ idempotencyKey: runId }, gateway) {
        accept(gateway, runId);
        gateway.send(agentEvent(runId, "lifecycle", { phase: "model", provider: "mock", model: "m1" }));
        for (const [at, delta] of words.entries()) {
          const text = words.slice(0, at + 1).join("");
          gateway.send(agentEvent(runId, "assistant", { text, delta, itemId: "i1" }));
        }
        return final(runId, words.join(""));
      },
    },
  });
}

test("agent gives the message to the agent and prints the whole answer in a pipe", async () => {
  const gateway = speaking("Hello", " there");
  const { code, stdout, stderr } = await run(["agent", "--message", "hi"], { files: home, dial: gateway.dial });
  assert.equal([code, stdout, stderr], [0, "Hello there\n", ""]);
  const { idempotencyKey, ...params } = firstParams(gateway);
  assert.equal(params, { message: "hi", deliver: false });
  assert.match(String(idempotencyKey), /^[0-9a-f-]{36}$/);
  assert.equal(gateway.connections[0]?.connect?.["scopes"], ["operator.read", "operator.write"]);
});

test("agent sends what the options name, and only that", async () => {
  const gateway = speaking("ok");
  const line = "agent --message hi --agent ops --session-key work --thinking high --model fast --timeout 30 --deliver";
  assert.is((await run(line.split(" "), { files: home, dial: gateway.dial })).code, 0);
  const { idempotencyKey: _, ...params } = firstParams(gateway);
  assert.equal(params, {
    message: "hi",
    agentId: "ops",
    sessionKey: "work",
    thinking: "high",
    model: "fast",
    timeout: 30,
    deliver: true,
  });
});

test("agent --message - says what comes on standard input, as it is", async () => {
  const gateway = speaking("ok");
  await run(["agent", "--message", "-"], { files: home, dial: gateway.dial, input: "two\nlines\n" });
  assert.is(firstParams(gateway)["message"], "two\nlines\n");
});

test("agent --json prints the final object and nothing else", async () => {
  const dial = speaking("Hello").dial;
  const { code, stdout, stderr } = await run(["agent", "--message", "hi", "--json"], { files: home, dial });
  const printed = JSON.parse(stdout) as JsonObject;
  assert.equal([code, stderr, printed], [0, "", final(printed["runId"], "Hello")]);
});

test("the answer streams to a terminal, and is written once", async () => {
  const dial = speaking("Hel", "lo", " you\n").dial;
  const { code, stdout } = await run(["agent", "--message", "hi"], { files: home, dial, interactive: true });
  assert.equal([code, stdout], [0, "Hello you\n"]);
});

test("threat: an answer cannot move the cursor of a terminal; a program gets it as it is", async () => {
  const hostile = "a\u001b[2Jb\u202ec\r\nd";
  const shown = (interactive: boolean) =>
    run(["agent", "--message", "hi"], { files: home, dial: speaking(hostile).dial, interactive });
  assert.is((await shown(true)).stdout, "a?[2Jb?c\nd\n");
  assert.is((await shown(false)).stdout, `${hostile}\n`);
});

for (const [line, said] of [
  ["agent", "--message is missing: give the text, or - to read it from standard input\n"],
  ["agent --message -", "standard input is empty: nothing to say\n"],
  [
    "agent --message hi --to +15551234567 --session-id s1",
    "--session-key, --session-id and --to each name a session: give one of them\n",
  ],
] as const) {
  test(`${line}: wrong usage, and the gateway is not asked`, async () => {
    const gateway = speaking("never");
    const { code, stderr } = await run(line.split(" "), { files: home, dial: gateway.dial });
    assert.equal([code, stderr, gateway.connections.length], [2, said, 0]);
  });
}

test("--to stays text: a number is a name", async () => {
  const gateway = speaking("ok");
  await run(["agent", "--message", "hi", "--to", "+15551234567"], { files: home, dial: gateway.dial });
  assert.is(firstParams(gateway)["to"], "+15551234567");
});

const refusals = [
  ["rate_limit", true, 75, "Try again in 7s."],
  ["overloaded", true, 75, "Try again in 7s."],
  ["auth", false, 1, "Fix: export ANTHROPIC_API_KEY where the gateway runs and restart it, or run clawdbot onboard."],
  ["no_model", false, 1, "See: clawdbot models list"],
] as const;
for (const [kind, retryable, status, advice] of refusals) {
  test(`a provider's ${kind} ends with ${status}, its reason and what to do on stderr`, async () => {
    const error = {
      code: "UNAVAILABLE",
      message: "Anthropic says no",
      details: { kind, provider: "anthropic" },
      retryable,
      retryAfterMs: 6500,
    };
    const dial = fakeGateway({ methods: { agent: () => new Refusal(error) } }).dial;
    const { code, stdout, stderr } = await run(["agent", "--message", "hi"], { files: home, dial });
    assert.equal([code, stdout, stderr], [status, "", `Anthropic says no\n${advice}\n`]);
  });
}

test("an unknown agent is said, with where to look", async () => {
  const error = { code: "INVALID_REQUEST", message: 'invalid agent params: unknown agent id "nope"' };
  const dial = fakeGateway({ methods: { agent: () => new Refusal(error) } }).dial;
  const { code, stderr } = await run(["agent", "--message", "hi", "--agent", "nope"], { files: home, dial });
  assert.equal([code, stderr], [1, `${error.message}\nSee: clawdbot gateway call agents.list\n`]);
});

test("a run that was stopped or ran out of time is no success", async () => {
  for (const [summary, status] of [
    ["aborted", 1],
    ["timed out", 75],
  ] as const) {
    const dial = fakeGateway({ methods: { agent: () => ({ runId: "r", status: "timeout", summary }) } }).dial;
    const { code, stderr } = await run(["agent", "--message", "hi"], { files: home, dial });
    assert.equal([code, stderr], [status, `The run did not end by itself: ${summary}\n`]);
  }
});

test("Ctrl-C stops the run on the gateway and ends with 130; a second one ends at once", async () => {
  let answer: (payload: JsonObject) => void = () => undefined;
  const gateway = fakeGateway({
    methods: {
      agent({ idempotencyKey: runId }, connection) {
        answer = (payload) => connection.send({ type: "res", ok: true, payload });
        accept(connection, runId);
        return undefined;
      },
      "chat.abort": () => ({ ok: true, aborted: true, runIds: [] }),
    },
  });
  const args = ["agent", "--message", "hi"];
  const host = scriptedHost({ name: "clawdbot", files: home, dial: gateway.dial, args });
  const ended = main(host);
  await until("the run", () => gateway.calls[0]);
  await until("a listener", () => host.processes.signal("SIGINT") > 0);
  const stop = await until("chat.abort", () => gateway.calls[1]);
  const runId = firstParams(gateway)["idempotencyKey"];
  assert.equal(stop, { method: "chat.abort", params: { sessionKey: key, runId } });
  assert.throws(
    () => host.processes.signal("SIGINT"),
    (error: unknown) => error instanceof Exit && error.code === 130,
  );
  answer({ runId: runId ?? "", status: "timeout", summary: "aborted", stopReason: "rpc" });
  assert.is(await ended, 130);
});

test("a gateway that restarts meanwhile is asked for the same run again", async () => {
  let asked = 0;
  const gateway = fakeGateway({
    methods: {
      agent({ idempotencyKey: runId }, connection) {
        asked += 1;
        if (asked === 1) {
          accept(connection, runId);
          setTimeout(() => gateway.end(1012, "service restart"), 0);
          return undefined;
        }
        return asked === 2 ? { runId, status: "in_flight", sessionKey: key } : final(runId, "still here");
      },
      "agent.wait": ({ runId }) => ({ runId, status: "ok" }),
    },
  });
  const host = scriptedHost({ name: "clawdbot", files: home, dial: gateway.dial, args: ["agent", "--message", "hi"] });
  const ended = main(host);
  await until("another connection", async () => {
    await host.clock.advance(1000);
    return gateway.connections[1];
  });
  assert.is(await ended, 0);
  assert.is(host.terminal.stdout.text, "still here\n");
  assert.equal(
    gateway.calls.map(({ method }) => method),
    ["agent", "agent", "agent.wait", "agent"],
  );
  const keys = gateway.calls.map(({ params }) => (params as JsonObject)["idempotencyKey"]).filter(Boolean);
  assert.is(new Set(keys).size, 1);
});

test("what goes on is said on stderr after a second, to a person only", async () => {
  for (const interactive of [true, false]) {
    let answer: () => void = () => undefined;
    const gateway = fakeGateway({
      methods: {
        agent({ idempotencyKey: runId }, connection) {
          accept(connection, runId);
          connection.send(agentEvent(runId, "lifecycle", { phase: "model", provider: "mock", model: "m1" }));
          answer = () => connection.send({ type: "res", ok: true, payload: final(runId, "done") });
          return undefined;
        },
      },
    });
    const args = ["agent", "--message", "hi"];
    const host = scriptedHost({ name: "clawdbot", files: home, dial: gateway.dial, args, interactive });
    const ended = main(host);
    await until("the run", () => gateway.calls[0]);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await host.clock.advance(1200);
    assert.is(host.terminal.stderr.text.includes("thinking with mock/m1…"), interactive);
    answer();
    assert.is(await ended, 0);
    assert.is(host.terminal.stdout.text, "done\n");
    assert.is(host.terminal.stderr.text.endsWith("\r\u001b[K"), interactive);
  }
});

test.run();
