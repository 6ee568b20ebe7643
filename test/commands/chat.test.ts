import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LineEvents } from "../../src/host/host.ts";
import type { JsonObject } from "../../src/kit/json.ts";
import { main } from "../../src/main.ts";
import { fakeGateway, Refusal, type Answer, type FakeGateway } from "../client/fake-gateway.ts";
import { until } from "../support/gateway-process.ts";
import { scriptedHost } from "../support/host.ts";
import { home, run } from "./run.ts";

const key = "agent:main:main";
const info = { key, agentId: "main", modelProvider: "mock", model: "m1", activeRunIds: [] };

function message(role: string, text: string, seq: number): JsonObject {
  return { role, content: [{ type: "text", text }], __openclaw: { seq } };
}

function event(name: string, payload: JsonObject): JsonObject {
  return { type: "event", event: name, payload: { sessionKey: key, ...payload } };
}

/** A gateway with one session. */
function sessionGateway(more: Readonly<Record<string, Answer>> = {}): FakeGateway {
  return fakeGateway({
    methods: {
      "sessions.messages.subscribe": () => ({ subscribed: true, key }),
      "chat.history": () => ({ sessionKey: "main", sessionId: "s1", messages: [], sessionInfo: info }),
      "chat.send": ({ idempotencyKey: runId }) => ({ runId, status: "started" }),
      "chat.abort": () => ({ ok: true, aborted: true, runIds: [] }),
      ...more,
    },
  });
}

/** A person at a terminal who talks with this gateway. */
function talk(gateway: FakeGateway, ...args: readonly string[]) {
  const base = scriptedHost({
    name: "clawdbot",
    files: home,
    dial: gateway.dial,
    interactive: true,
    env: { NO_COLOR: "1" },
    args: ["chat", ...args],
  });
  let typed: LineEvents | undefined;
  let prompt: string | undefined;
  let closed = false;
  const editLines = (events: LineEvents) => {
    typed = events;
    return {
      show: (text: string) => void (prompt = text),
      hide: () => void (prompt = undefined),
      close: () => void (closed = true),
    };
  };
  const host = { ...base, terminal: { ...base.terminal, editLines } };
  const ended = main(host);
  const at = (text: string) => until(`the prompt ${JSON.stringify(text)}`, () => prompt === text || undefined);
  return {
    ended,
    clock: base.clock,
    /** Waits for a line to type in. */
    ready: (text = "> ") => at(text),
    type(text: string) {
      prompt = undefined;
      typed?.line(text);
    },
    interrupt: () => typed?.interrupt(),
    leave: () => typed?.end(),
    prompt: () => prompt,
    closed: () => closed,
    screen: () => base.terminal.stdout.text,
    shows: (text: string) =>
      until(JSON.stringify(text), () => base.terminal.stdout.text.includes(text) || undefined).catch((error) => {
        throw new Error(`${String(error)}\non the screen:\n${base.terminal.stdout.text}`, { cause: error });
      }),
    errors: () => base.terminal.stderr.text,
  };
}

function sent(gateway: FakeGateway): readonly JsonObject[] {
  return gateway.calls.filter(({ method }) => method === "chat.send").map(({ params }) => params as JsonObject);
}

test("chat says who answers, shows the last of the history, and leaves at Ctrl-D", async () => {
  const messages = [message("user", "hi\u001b[2J", 1), message("toolResult", "x", 2), message("assistant", "hello", 3)];
  const gateway = sessionGateway({
    "chat.history": () => ({ sessionKey: "main", sessionId: "s1", messages, sessionInfo: info }),
  });
  const person = talk(gateway);
  await person.ready();
  assert.is(person.screen(), "main · mock/m1 · agent:main:main\n> hi?[2J\nhello\n");
  person.leave();
  assert.is(await person.ended, 0);
  assert.ok(person.closed());
});

test("what is typed is sent, and its answer streams in, with thoughts and tools", async () => {
  const gateway = sessionGateway();
  const person = talk(gateway, "--session", "work", "--thinking", "high");
  await person.ready();
  person.type("what time is it");
  const [params] = await until("chat.send", () => (sent(gateway).length > 0 ? sent(gateway) : undefined));
  const runId = params?.["idempotencyKey"] ?? "";
  assert.equal(params, {
    sessionKey: key,
    message: "what time is it",
    idempotencyKey: runId,
    thinking: "high",
    deliver: false,
  });
  assert.is(person.prompt(), undefined);
  const agent = (stream: string, data: JsonObject) => gateway.send(event("agent", { runId, stream, data }));
  agent("lifecycle", { phase: "start" });
  agent("thinking", { text: "a clock", itemId: "1" });
  agent("item", { kind: "tool", phase: "start", name: "exec" });
  agent("item", { kind: "tool", phase: "end", name: "exec", status: "failed" });
  agent("assistant", { text: "It is", itemId: "2" });
  agent("assistant", { text: "It is ten.", itemId: "2" });
  gateway.send(event("chat", { runId, state: "final", message: message("assistant", "It is ten.", 2) }));
  await person.ready();
  assert.is(person.screen(), "main · mock/m1 · agent:main:main\na clock\n⚙ exec\n✗ exec failed\n\nIt is ten.\n");
  person.type("/exit");
  assert.is(await person.ended, 0);
});

test("the answer to a slash command, which is not streamed, is shown", async () => {
  const gateway = sessionGateway({
    "chat.send": ({ idempotencyKey: runId }, connection) => {
      connection.send(event("chat", { runId, state: "final", message: message("assistant", "🧠 Model: mock/m1", 2) }));
      return { runId, status: "started" };
    },
  });
  const person = talk(gateway);
  await person.ready();
  person.type("/status");
  await person.shows("🧠 Model: mock/m1\n");
  await person.ready();
  person.leave();
  assert.is(await person.ended, 0);
});

test("a trailing backslash goes on with the message", async () => {
  const gateway = sessionGateway();
  const person = talk(gateway);
  await person.ready();
  person.type("one\\");
  await person.ready("… ");
  person.type("two");
  const [params] = await until("chat.send", () => (sent(gateway).length > 0 ? sent(gateway) : undefined));
  assert.is(params?.["message"], "one\ntwo");
  person.leave();
  await person.ended;
});

test("Ctrl-C stops an answer, and leaves at the prompt", async () => {
  const gateway = sessionGateway();
  const person = talk(gateway, "--message", "count to a million");
  const [params] = await until("chat.send", () => (sent(gateway).length > 0 ? sent(gateway) : undefined));
  await person.shows("> count to a million\n");
  person.interrupt();
  const stop = await until("chat.abort", () => gateway.calls.find(({ method }) => method === "chat.abort"));
  assert.equal(stop.params, { sessionKey: key });
  gateway.send(event("chat", { runId: params?.["idempotencyKey"] ?? "", state: "aborted" }));
  await person.ready();
  assert.match(person.screen(), "(stopped)\n");
  person.interrupt();
  assert.is(await person.ended, 0);
});

test("a message of which nothing comes, as /stop or one that was answered before, gives the prompt back", async () => {
  const answers = [
    { ok: true, aborted: false, runIds: [] },
    { runId: "r", status: "ok" },
  ];
  const gateway = sessionGateway({ "chat.send": () => answers.shift() });
  const person = talk(gateway);
  for (const text of ["/stop", "again"]) {
    await person.ready();
    person.type(text);
    await until(text, () => sent(gateway).find(({ message }) => message === text));
  }
  await person.ready();
  person.leave();
  assert.is(await person.ended, 0);
});

test("what others say in the session and what they are answered is shown; other sessions are not", async () => {
  const gateway = sessionGateway();
  const person = talk(gateway);
  await person.ready();
  gateway.send(event("session.message", { message: message("user", "from my phone", 1), messageSeq: 1 }));
  const theirs = { runId: "theirs", stream: "assistant", data: { text: "to your phone", itemId: "1" } };
  gateway.send(event("agent", { ...theirs, sessionKey: "agent:main:other", data: { text: "secret", itemId: "1" } }));
  gateway.send(event("agent", theirs));
  gateway.send(event("chat", { runId: "theirs", state: "final" }));
  await person.shows("> from my phone\nto your phone\n");
  await person.ready();
  assert.not.match(person.screen(), "secret");
  person.leave();
  await person.ended;
});

test("a gateway that restarts is awaited; what is typed meanwhile arrives under one key, what was missed is shown", async () => {
  let history: readonly JsonObject[] = [message("user", "old", 1)];
  const gateway = sessionGateway({
    "chat.history": () => ({ sessionKey: "main", sessionId: "s1", messages: history, sessionInfo: info }),
    "chat.send": ({ idempotencyKey: runId }) => (gateway.connections.length === 2 ? undefined : { runId }),
  });
  const person = talk(gateway);
  await person.ready();
  history = [...history, message("assistant", "missed", 2)];
  gateway.end(1012, "service restart");
  await person.shows("gateway closed (1012 service restart): service restart; waiting for the gateway to be back\n");
  person.type("keep this");
  await person.shows("kept until the gateway is back\n");
  await until("the message on the second connection", async () => {
    await person.clock.advance(250);
    return sent(gateway)[0];
  });
  await person.shows("the gateway is back\nmissed\n");
  // It goes away before it has confirmed the message.
  gateway.end(1006, "");
  await until("the message on the third connection", async () => {
    await person.clock.advance(250);
    return sent(gateway)[1];
  });
  const [first, second] = sent(gateway);
  assert.equal(first, second);
  assert.is(first?.["message"], "keep this");
  assert.not.match(person.screen().split("service restart")[1] ?? "", "old");
  person.leave();
  assert.is(await person.ended, 0);
});

test("what the gateway never confirmed is given back at the end, with status 75", async () => {
  const gateway = sessionGateway();
  const person = talk(gateway);
  await person.ready();
  gateway.end(1006, "");
  await person.shows("waiting for the gateway to be back");
  person.type("lost words");
  await person.shows("kept until");
  person.leave();
  assert.is(await person.ended, 75);
  assert.match(person.errors(), "not confirmed by the gateway: lost words\n");
});

test("a message that is refused and a run that fails say why, and the conversation goes on", async () => {
  const gateway = sessionGateway({
    "chat.send": ({ message: text, idempotencyKey: runId }, connection) => {
      if (text === "too much") return new Refusal({ code: "INVALID_REQUEST", message: "message too large" });
      connection.send(
        event("chat", {
          runId,
          state: "error",
          errorMessage: "the conversation is longer than m1 can read",
          errorKind: "context_length",
        }),
      );
      return { runId };
    },
  });
  const person = talk(gateway);
  await person.ready();
  person.type("too much");
  await person.shows("not sent: too much\nmessage too large\n");
  await person.ready();
  person.type("again");
  await person.shows("the conversation is longer than m1 can read\nFix: clawdbot sessions compact <key>\n");
  await person.ready();
  person.leave();
  assert.is(await person.ended, 0);
});

test("a gateway that will not have us back ends the conversation with its reason", async () => {
  let connections = 0;
  const base = sessionGateway();
  const person = talk({
    ...base,
    dial: (url, events, options) => {
      connections += 1;
      if (connections === 1) return base.dial(url, events, options);
      const refusal = new Refusal({
        code: "INVALID_REQUEST",
        message: "token mismatch",
        details: { code: "AUTH_TOKEN_MISMATCH" },
      });
      return fakeGateway({ connect: () => refusal }).dial(url, events, options);
    },
  });
  await person.ready();
  base.end(1012, "service restart");
  await until("the end", async () => {
    await person.clock.advance(250);
    return person.closed() || undefined;
  });
  assert.is(await person.ended, 1);
  assert.match(person.errors(), "token mismatch\n");
});

test("chat without a terminal says what to use: exit 2, also as tui", async () => {
  for (const name of ["chat", "tui"]) {
    const { code, stderr } = await run([name], { files: home });
    assert.is(code, 2);
    assert.is(
      stderr,
      "chat is for a person at a terminal, and there is none here\nFor programs: clawdbot agent --message <text>\n",
    );
  }
});

test.run();
