import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { failureOf, talkingApp } from "../support/doubles.ts";
import { checkParams } from "../support/official.ts";

const ask = (more: object = {}) => ({ message: "hi agent", idempotencyKey: "ag-1", ...more });

test("an agent says that it has begun, and answers again when it is done", async () => {
  const { call, settle, running, accepted, host, app } = await talkingApp();
  checkParams("agent", ask({ agentId: "main", deliver: false, timeout: 600 }));
  const answer = call("agent", ask({ agentId: "main", deliver: false, timeout: 600 }));
  await settle();
  assert.equal(accepted, [
    { runId: "ag-1", sessionKey: "agent:main:main", agentId: "main", status: "accepted", acceptedAt: host.clock.now() },
  ]);
  await running[0]?.end("Hello.");
  await settle();
  const { result, ...rest } = await answer;
  assert.equal(rest, { runId: "ag-1", status: "ok", summary: "completed" });
  assert.equal(result.payloads, [{ text: "Hello.", mediaUrl: null }]);
  const { agentMeta, aborted, durationMs } = result.meta;
  assert.equal([aborted, durationMs], [false, 0]);
  assert.equal(agentMeta, {
    sessionId: app.sessions.get("agent:main:main")?.sessionId,
    provider: "mock",
    model: "m1",
    usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0, cost: { total: 0 } },
  });
});

test("the same request again is in flight while it runs, whoever asks and whatever is said, and has the same end", async () => {
  const { call, settle, running, accepted } = await talkingApp();
  const answer = call("agent", ask());
  await settle();
  assert.equal(await call("agent", ask({ message: "something else" }), { connId: "another" }), {
    status: "in_flight",
    runId: "ag-1",
    sessionKey: "agent:main:main",
    agentId: "main",
  });
  await running[0]?.end("Hello.");
  await settle();
  assert.equal(await call("agent", ask()), await answer);
  assert.is(accepted.length, 1);
  assert.is(running.length, 1);
});

test("a run that is stopped has no answer and says why; one that fails is a failed response", async () => {
  const { call, settle, running } = await talkingApp();
  const stopped = call("agent", ask());
  await settle();
  await call("chat.abort", { sessionKey: "main", runId: "ag-1" });
  await settle();
  assert.equal(await stopped, { runId: "ag-1", status: "timeout", summary: "aborted", stopReason: "rpc" });
  const failed = failureOf(call("agent", ask({ idempotencyKey: "ag-2" })));
  await settle();
  running[1]?.fail(new Failure("unavailable", "the model is gone"));
  await settle();
  assert.is(await failed, "unavailable: the model is gone");
  assert.is(await failureOf(call("agent", ask({ idempotencyKey: "ag-2" }))), "unavailable: the model is gone");
});

test("what is asked for one run holds for that run alone", async () => {
  const { call, settle, running, app } = await talkingApp();
  const more = { model: "m2", thinking: "HIGH", extraSystemPrompt: "Be brief.", promptMode: "minimal" };
  void call("agent", ask({ ...more, message: "/status" }));
  await settle();
  const input = running[0]?.input;
  assert.equal(
    [input?.model, input?.thinking, input?.extraSystemPrompt, input?.promptMode],
    ["mock/m2", "high", "Be brief.", "minimal"],
  );
  assert.is(app.sessions.get("agent:main:main")?.modelOverride, undefined);
  await running[0]?.end("");
});

test("a session is named by key or by id; an id that nobody knows gets a session of its own", async () => {
  const { call, settle, running, app } = await talkingApp();
  const { sessionId } = await app.sessions.ensure("agent:main:known", { agentId: "main" });
  void call("agent", ask({ sessionId }));
  void call("agent", ask({ sessionId: "mine", idempotencyKey: "b" }));
  await settle();
  assert.equal(
    running.map(({ input }) => input.sessionKey),
    ["agent:main:known", "agent:main:explicit:mine"],
  );
  for (const run of running) await run.end("");
});

const refused: readonly (readonly [params: object, failure: string])[] = [
  [{ agentId: "nope" }, 'invalid-request: invalid agent params: unknown agent id "nope"'],
  [{ sessionKey: "agent:nope:main" }, 'not-found: Agent "nope" no longer exists in configuration'],
  [
    { agentId: "main", sessionKey: "agent:aide:x" },
    'invalid-request: agent "main" does not match session key agent "aide"',
  ],
  [{ model: "zzz" }, 'invalid-request: unknown model "zzz": models.list has those that can be chosen'],
  [{ sessionId: "../x\0" }, "invalid-request: session key"],
  [{ expectedExistingSessionId: "x" }, "conflict: agent:main:main is another conversation now: none"],
];
for (const [params, failure] of refused) {
  test(`${JSON.stringify(params)} is refused before anything begins`, async () => {
    const { call, app, accepted } = await talkingApp();
    const said = await failureOf(call("agent", ask(params)));
    assert.ok(said.startsWith(failure), said);
    assert.equal([app.sessions.size, accepted], [0, []]);
  });
}

test("an answer that was to be delivered says that it was not: there is no chat network", async () => {
  const { call, settle, running } = await talkingApp();
  const answer = call("agent", ask({ deliver: true }));
  await settle();
  await running[0]?.end("Hello.");
  const { result } = await answer;
  assert.equal([result.deliverySucceeded, result.deliveryStatus.status], [false, "failed"]);
});

test("threat F an agent is asked with write, and made to forget by an admin alone", async () => {
  const { call } = await talkingApp();
  const scopes = (scope: string) => ({ scopes: new Set([scope]) });
  assert.is(await failureOf(call("agent", ask(), scopes("operator.read"))), "forbidden: missing scope: operator.write");
  for (const message of ["/new", " /reset now", "/NEW:"]) {
    const failure = await failureOf(call("agent", ask({ message }), scopes("operator.write")));
    assert.is(failure, "forbidden: missing scope: operator.admin", message);
  }
  const wait = call("agent.wait", { runId: "x" }, scopes("operator.read"));
  assert.is(await failureOf(wait), "forbidden: missing scope: operator.write");
});

test("agent.wait tells how a run ended, and that one has not ended or is not known", async () => {
  const { call, settle, running, host } = await talkingApp();
  const unknown = call("agent.wait", { runId: "nope", timeoutMs: 300 });
  await settle();
  await host.clock.advance(300);
  assert.equal(await unknown, { runId: "nope", status: "timeout" });
  void call("agent", ask());
  await settle();
  const late = call("agent.wait", { runId: "ag-1", timeoutMs: 300 });
  await settle();
  await host.clock.advance(300);
  assert.equal(await late, { runId: "ag-1", status: "timeout" });
  const answer = call("agent.wait", { runId: "ag-1" });
  await running[0]?.end("Hello.");
  await settle();
  const { status, stopReason, terminalReply, endedAt } = await answer;
  assert.equal([status, stopReason, endedAt], ["ok", "stop", host.clock.now()]);
  assert.equal(terminalReply, { disposition: "visible", text: "Hello." });
});

test("agent finds the session of a person or a group by the rules for messages of theirs", async () => {
  const keyFor = async (config: object, params: object): Promise<string | undefined> => {
    const { app, call, settle } = await talkingApp({ config });
    void call("agent", ask(params));
    await settle();
    return app.turns.run("ag-1")?.sessionKey;
  };
  const perPeer = { session: { dmScope: "per-channel-peer", identityLinks: { ada: ["telegram:7"] } } };
  assert.is(await keyFor({}, { to: "+15551234567" }), "agent:main:main");
  assert.is(await keyFor(perPeer, { channel: "signal", to: "+1555" }), "agent:main:signal:direct:+1555");
  assert.is(await keyFor(perPeer, { channel: "telegram", to: "7" }), "agent:main:telegram:direct:ada");
  assert.is(await keyFor(perPeer, { channel: "telegram", groupId: "-9" }), "agent:main:telegram:group:-9");
  assert.is(await keyFor(perPeer, { to: "7", sessionKey: "work" }), "agent:main:work");
});

test.run();
