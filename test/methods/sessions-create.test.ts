import { test } from "uvu";
import * as assert from "uvu/assert";
import { failureOf, rowOf, talkingApp, type Answer } from "../support/doubles.ts";
import { checkParams } from "../support/official.ts";

const textsOf = ({ messages }: Answer): string[] => messages.map((each: Answer) => each.content[0].text);

test("a session is made under its key, with a name and a model", async () => {
  const { call } = await talkingApp();
  const params = {
    key: "agent:main:lab1",
    label: "Lab one",
    displayName: "The lab",
    model: "m2",
    thinkingLevel: "low",
  };
  checkParams("sessions.create", params);
  const { ok, key, sessionId, entry, runStarted, resolved } = await call("sessions.create", params);
  assert.equal([ok, key, runStarted], [true, "agent:main:lab1", false]);
  assert.equal(resolved, { modelProvider: "mock", model: "m2" });
  const { label, displayName, thinkingLevel, createdVia } = entry;
  assert.equal([label, displayName, thinkingLevel, createdVia], ["Lab one", "The lab", "low", "operator"]);
  assert.is(entry.sessionId, sessionId);
});

test("without a key it gets one that nobody else has; an existing one is the same session", async () => {
  const { call } = await talkingApp();
  const [one, other] = [await call("sessions.create"), await call("sessions.create")];
  assert.match(one.key, /^agent:main:dashboard:[0-9a-f-]{36}$/);
  assert.is.not(one.key, other.key);
  const again = await call("sessions.create", { key: one.key, category: "work" });
  assert.equal([again.sessionId, again.entry.category], [one.sessionId, "work"]);
});

test("a first message begins a run; one that is refused leaves the session and says why", async () => {
  const { call, settle, running } = await talkingApp();
  const made = await call("sessions.create", { key: "lab", message: "hello", idempotencyKey: "k" });
  assert.equal([made.runStarted, made.runId], [true, "k"]);
  await settle();
  assert.is(running[0]?.input.sessionKey, "agent:main:lab");
  const bad = await call("sessions.create", { key: "bad", message: "a\0" });
  assert.equal([bad.runStarted, bad.runError.message], [false, "message must not contain null bytes"]);
});

test("a fork has the parent's conversation and goes its own way", async () => {
  const { call, exchange } = await talkingApp();
  await exchange("main", "one", "1");
  const params = { parentSessionKey: "main", fork: true, label: "Side" };
  checkParams("sessions.create", params);
  const { key, entry } = await call("sessions.create", params);
  assert.equal([entry.parentSessionKey, entry.forkSource.sessionKey], ["agent:main:main", "agent:main:main"]);
  await exchange(key, "two", "2");
  assert.equal(textsOf(await call("chat.history", { sessionKey: key })), ["one", "1", "two", "2"]);
  assert.equal(textsOf(await call("chat.history", { sessionKey: "main" })), ["one", "1"]);
});

test("while the parent answers, a fork begins with what was complete", async () => {
  const { call, settle, exchange } = await talkingApp();
  await exchange("main", "one", "1");
  await call("chat.send", { sessionKey: "main", message: "two", idempotencyKey: "k" });
  await settle();
  const params = { parentSessionKey: "main", fork: true };
  assert.match(await failureOf(call("sessions.create", params)), "conflict: agent:main:main is answering");
  const { key } = await call("sessions.create", { ...params, forkFrom: "last-completed" });
  assert.equal(textsOf(await call("chat.history", { sessionKey: key })), ["one", "1"]);
});

const refused: readonly (readonly [params: object, failure: string])[] = [
  [{ agentId: "nope" }, 'not-found: Agent "nope" no longer exists in configuration'],
  [{ parentSessionKey: "zzz" }, "not-found: unknown parent session: zzz"],
  [{ fork: true }, "invalid-request: fork needs parentSessionKey"],
  [{ model: "zzz" }, 'invalid-request: unknown model "zzz"'],
  [{ key: "agent:main:" }, 'invalid-request: session key "agent:main:" is not complete'],
];
for (const [params, failure] of refused) {
  test(`${JSON.stringify(params)} is refused, and nothing is made`, async () => {
    const { call, app } = await talkingApp();
    const said = await failureOf(call("sessions.create", params));
    assert.ok(said.startsWith(failure), said);
    assert.is(app.sessions.size, 0);
  });
}

test("a rewind goes back to before a message and gives it to the editor", async () => {
  const { call, exchange } = await talkingApp();
  await exchange("main", "one", "1");
  const [second = ""] = await exchange("main", "two", "2");
  const params = { sessionKey: "main", entryId: second };
  assert.equal(await call("sessions.rewind", params), { editorText: "two" });
  assert.equal(textsOf(await call("chat.history", { sessionKey: "main" })), ["one", "1"]);
  assert.match(await failureOf(call("sessions.rewind", params)), "not-found:");
});

test("a fork from a message is a new session with what came before it", async () => {
  const { call, exchange } = await talkingApp();
  await exchange("main", "one", "1");
  const [second = "", answer = ""] = await exchange("main", "two", "2");
  const { sessionKey, editorText } = await call("sessions.fork", { sessionKey: "main", entryId: second });
  assert.is(editorText, "two");
  assert.equal(textsOf(await call("chat.history", { sessionKey })), ["one", "1"]);
  assert.equal(textsOf(await call("chat.history", { sessionKey: "main" })), ["one", "1", "two", "2"]);
  for (const entryId of [answer, "nobody", "../../x"]) {
    const failure = await failureOf(call("sessions.fork", { sessionKey: "main", entryId }));
    assert.match(failure, "is no message of a person in agent:main:main");
  }
});

test("pictures of a message that was cut off come back with it", async () => {
  const { call, settle, running, app } = await talkingApp();
  const content = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";
  await call("chat.send", { sessionKey: "main", message: "see", idempotencyKey: "k", attachments: [{ content }] });
  await settle();
  await running[0]?.end("I see.");
  await settle();
  const row = rowOf(app, "agent:main:main");
  const [entry] = await app.sessions.transcript(row).page({ limit: 2 });
  assert.equal(await call("sessions.rewind", { sessionKey: "main", entryId: entry?.id }), {
    editorText: "see",
    editorAttachments: [{ mimeType: "image/png", data: content }],
  });
});

test("something is said in a session that there is, and stopped again", async () => {
  const { call, settle, running } = await talkingApp();
  const params = { key: "lab", message: "hello", idempotencyKey: "ss1" };
  checkParams("sessions.send", params);
  assert.is(await failureOf(call("sessions.send", params)), "not-found: No session found: lab");
  await call("sessions.create", { key: "lab" });
  assert.equal(await call("sessions.send", params), { runId: "ss1", status: "started" });
  await settle();
  const queued = { key: "lab", message: "and then", idempotencyKey: "ss2" };
  await call("sessions.send", queued);
  checkParams("sessions.abort", { key: "lab" });
  assert.equal(await call("sessions.abort", { key: "lab" }), { ok: true, abortedRunId: "ss1", status: "aborted" });
  await settle();
  assert.equal(await call("sessions.abort", { runId: "zzz" }), {
    ok: true,
    abortedRunId: null,
    status: "no-active-run",
  });
  assert.match(await failureOf(call("sessions.abort")), "give the key of a session or the id of a run");
  assert.ok(running.length >= 1);
});

test("steering reaches the run that goes on", async () => {
  const { call, settle, running } = await talkingApp();
  await call("chat.send", { sessionKey: "main", message: "one", idempotencyKey: "k" });
  await settle();
  await call("sessions.steer", { sessionKey: "main", message: "faster", idempotencyKey: "s" });
  const [message] = running[0]?.input.steer?.() ?? [];
  assert.equal(message?.content, [{ type: "text", text: "faster" }]);
});

test.run();
