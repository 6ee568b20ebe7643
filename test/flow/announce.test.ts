import { test } from "uvu";
import * as assert from "uvu/assert";
import type { RunEvent } from "../../src/agent/runner.ts";
import type { Connection } from "../../src/app.ts";
import { announce, type AnnounceOptions } from "../../src/flow/announce.ts";
import type { RunState, TurnEvent } from "../../src/flow/turns.ts";
import { Failure } from "../../src/kit/error.ts";
import { noUsage } from "../../src/session/message.ts";
import type { SessionRow } from "../../src/session/sessions.ts";
import type { Entry } from "../../src/session/transcript.ts";
import { scriptedCaller } from "../support/app.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const key = "agent:main:main";

// eslint-disable-next-line typescript/no-explicit-any -- payloads are read by path in assertions
type Payload = any;

interface Sent {
  readonly event: string;
  readonly payload: Payload;
  readonly only: (connection: Connection) => boolean;
}

function stage(options: Partial<AnnounceOptions> = {}) {
  const clock = createFakeClock();
  const sent: Sent[] = [];
  let tell: (event: TurnEvent) => void = () => undefined;
  const row = { key, agentId: "main", sessionId: "s1" } as SessionRow;
  announce({
    clock,
    turns: { onEvent: (listener: typeof tell) => ((tell = listener), () => (tell = () => undefined)) } as never,
    sessions: { get: () => row, onChange: () => () => undefined } as never,
    connections: {
      all: () => [{ caller: scriptedCaller(), subscriptions: new Set(["sessions"]) } as unknown as Connection],
    },
    broadcast: (event, payload, only = () => true) => void sent.push({ event, payload, only }),
    rowOf: () => ({ key }),
    messageOf: (entry) => ({ role: "assistant", id: entry.id }),
    blocks: () => undefined,
    ...options,
  });
  const happen = (what: object): void =>
    tell({
      runId: "r1",
      sessionKey: key,
      sessionId: "s1",
      agentId: "main",
      ts: clock.now(),
      ...what,
    } as TurnEvent);
  return {
    clock,
    happen,
    progress: (event: RunEvent) => happen({ kind: "progress", event }),
    /** What a connection receives. */
    seen: (more: Partial<Connection> & { caps?: readonly string[]; protocol?: 3 | 4 } = {}, event?: string) => {
      const { caps = [], protocol = 4, ...rest } = more;
      const caller = scriptedCaller({ caps: new Set(caps), protocol });
      const connection = { caller, subscriptions: new Set<string>(), ...rest } as Connection;
      return sent.filter((each) => each.only(connection) && (event === undefined || each.event === event));
    },
  };
}

const said = (text: string, delta: string, itemId = "r1:1"): RunEvent => ({ type: "text", text, delta, itemId });

test("words are told at once, then together, and what is left before whatever comes next", async () => {
  const { clock, progress, seen } = stage();
  progress(said("a", "a"));
  progress(said("ab", "b"));
  progress(said("abc", "c"));
  const deltas = () => seen({}, "chat").map(({ payload }) => payload.deltaText);
  assert.equal(deltas(), ["a"]);
  await clock.advance(50);
  assert.equal(deltas(), ["a", "bc"]);
  progress(said("abcd", "d"));
  progress({ type: "usage", usage: { ...noUsage, output: 4 } });
  assert.equal(deltas(), ["a", "bc", "d"]);
  assert.is(seen({}, "agent").at(-1)?.payload.stream, "usage");
  assert.equal(seen({}, "chat").at(-1)?.payload.message.content, [{ type: "text", text: "abcd" }]);
});

test("with blocks an answer is told at the ends of blocks, and nothing of it is lost", async () => {
  const { clock, progress, happen, seen } = stage({ blocks: () => ({ min: 10, max: 40, breakAt: "paragraph" }) });
  const words = ["First paragraph. ", "Of two lines.\n\n", "Second ", "one."];
  let text = "";
  for (const delta of words) {
    text += delta;
    progress(said(text, delta));
    await clock.advance(500);
  }
  const deltas = () => seen({}, "chat").flatMap(({ payload }) => payload.deltaText ?? []);
  assert.ok(deltas().length < words.length);
  happen({ kind: "ended", startedAt: 0, state: state("ok", text) });
  assert.is(deltas().join(""), text);
});

test("an answer that is taken back is replaced by nothing", () => {
  const { progress, seen } = stage();
  progress(said("wrong", "wrong"));
  progress({ type: "retract", itemId: "r1:1" });
  const last = seen({}, "chat").at(-1)?.payload;
  assert.equal([last.replace, last.deltaText, last.message.content], [true, "", [{ type: "text", text: "" }]]);
});

test("clients of version 3 do not hear of phases", () => {
  const { progress, seen } = stage();
  progress({ type: "phase", phase: "starting_model" });
  assert.is(seen({ protocol: 4 }, "chat").length, 1);
  assert.is(seen({ protocol: 3 }, "chat").length, 0);
  assert.is(seen({ protocol: 3 }, "agent").length, 0);
});

test("arguments and results of tools go to those who asked for them", () => {
  const { progress, seen } = stage();
  const call = { type: "toolCall", id: "c1", name: "read", arguments: { path: "secret.txt" } } as const;
  progress({ type: "tool-start", call, startedAt: 1 });
  progress({ type: "tool-end", call, startedAt: 1, result: { content: [{ type: "text", text: "contents" }] } });
  assert.not.match(JSON.stringify(seen().map(({ payload }) => payload)), /secret\.txt|contents/);
  const deep = seen({ caps: ["tool-events"] }).filter(({ payload }) => payload.stream === "tool");
  assert.equal(
    deep.map(({ payload }) => payload.data.phase),
    ["start", "result"],
  );
});

test("who asked for the sessions it follows alone, hears of no other", () => {
  const { progress, seen } = stage();
  progress(said("a", "a"));
  const caps = ["session-scoped-events"];
  assert.is(seen({ caps }).length, 0);
  assert.is(seen({ caps, subscriptions: new Set([`messages:${key}`]) }).length, 2);
});

test("messages and changes of sessions go to subscribers", () => {
  const { happen, seen } = stage();
  happen({ kind: "entry", entry: { id: "e1", seq: 3 } as Entry, injected: false });
  happen({ kind: "accepted" });
  assert.equal(seen(), []);
  const message = seen({ subscriptions: new Set([`messages:${key}`]) }, "session.message")[0]?.payload;
  assert.equal([message.messageId, message.messageSeq], ["e1", 3]);
  const changed = seen({ subscriptions: new Set(["sessions"]) }, "sessions.changed")[0]?.payload;
  assert.equal([changed.reason, changed.session], ["send", { key }]);
});

test("runs end as final, aborted or error; one that was collected into another says nothing twice", () => {
  const { happen, seen } = stage();
  const endings: readonly (readonly [RunState["status"], Partial<RunState>])[] = [
    ["ok", {}],
    ["ok", { mergedInto: "r0" }],
    ["aborted", {}],
    ["timeout", {}],
    ["error", { error: new Failure("failed", "no credit", { details: { kind: "rate_limit" } }) }],
  ];
  for (const [status, more] of endings) {
    happen({ kind: "ended", startedAt: 0, state: { ...state(status, status === "ok" ? "yes" : ""), ...more } });
  }
  const chats = seen({}, "chat").map(({ payload }) => payload);
  assert.equal(
    chats.map(({ state: name, message }) => `${name}${message ? " with text" : ""}`),
    ["final with text", "final", "aborted", "aborted", "error"],
  );
  assert.equal([chats[4].errorMessage, chats[4].errorKind], ["no credit", "rate_limit"]);
});

test("numbers of a run's events grow, whatever they are, and end with it", () => {
  const { happen, progress, seen } = stage();
  happen({ kind: "started", startedAt: 1 });
  progress({ type: "model", provider: "p", model: "m" });
  happen({ kind: "ended", startedAt: 1, state: state("ok", "yes") });
  happen({ kind: "started", startedAt: 2 });
  assert.equal(
    seen({}, "agent").map(({ payload }) => payload.seq),
    [1, 2, 3, 4, 1],
  );
});

function state(status: RunState["status"], text: string): RunState {
  const outcome = {
    status: "ok",
    stopReason: "stop",
    usage: noUsage,
    provider: "p",
    model: "m",
    payloads: text === "" ? [] : [{ text }],
  } as const;
  return { runId: "r1", sessionKey: key, agentId: "main", acceptedAt: 0, status, outcome };
}

test.run();
