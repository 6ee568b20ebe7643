import { test } from "uvu";
import * as assert from "uvu/assert";
import { toBase64 } from "../../src/kit/base64.ts";
import { failureOf, rowOf, talkingApp, type Answer } from "../support/doubles.ts";

const png = toBase64(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));

/** Two messages and their answers, a picture in the second. */
async function talkedIn() {
  const talking = await talkingApp();
  await talking.exchange("main", "hello", "hi there");
  const attachments = [{ mimeType: "image/png", fileName: "a.png", content: png }];
  await talking.call("chat.send", { sessionKey: "main", message: "look", attachments, idempotencyKey: "k" });
  await talking.settle();
  await talking.running.shift()?.end("a picture");
  await talking.settle();
  return talking;
}

const textsIn = ({ messages }: Answer): readonly unknown[] =>
  messages.map(({ role, content }: Answer) => [role, content.map(({ type, text }: Answer) => text ?? type)]);

test("a conversation with a picture goes out and comes in under another key, the same in what it says", async () => {
  const { call, app } = await talkedIn();
  const { key, sessionId, lines, next } = await call("sessions.export", { key: "main" });
  assert.equal([key, sessionId, next], ["agent:main:main", rowOf(app, key).sessionId, null]);
  const { uploadId } = await call("sessions.import", { key: "copy", lines: lines.slice(0, 2) });
  await call("sessions.import", { key: "copy", lines: lines.slice(2, 3), uploadId });
  assert.is(app.sessions.size, 1);
  const made = await call("sessions.import", { key: "copy", lines: lines.slice(3), uploadId, done: true });
  assert.equal(made, {
    key: "agent:main:copy",
    sessionId: rowOf(app, "agent:main:copy").sessionId,
    entries: 4,
  });
  const [original, copy] = [
    await call("chat.history", { sessionKey: "main" }),
    await call("chat.history", { sessionKey: "copy" }),
  ];
  assert.equal(textsIn(copy), textsIn(original));
  assert.equal(rowOf(app, "agent:main:copy").createdVia, "operator");
});

test("an import is refused before it is sent where there is such a session, and where there is no such agent", async () => {
  const { call } = await talkedIn();
  const line = '{"type":"session"}';
  assert.match(
    await failureOf(call("sessions.import", { key: "main", lines: [line] })),
    /^conflict: there is a session/,
  );
  assert.match(await failureOf(call("sessions.import", { key: "agent:nope:x", lines: [line] })), /^not-found: Agent/);
});

test("a line that is damaged is named by its number over all requests, and no session is made", async () => {
  const { call, app } = await talkingApp();
  const { uploadId } = await call("sessions.import", { key: "new", lines: ['{"type":"session"}', ""] });
  const ended = call("sessions.import", { key: "new", lines: ["{"], uploadId, done: true });
  assert.match(await failureOf(ended), /^invalid-request: line 3 is damaged: /);
  assert.is(app.sessions.size, 0);
  const again = call("sessions.import", { key: "new", lines: [], uploadId, done: true });
  assert.match(await failureOf(again), /^not-found: no such upload/);
});

test("threat M a line with a line break in it, or one too many, is refused", async () => {
  const { call } = await talkingApp();
  for (const lines of [["a\nb"], ["a\r"], Array.from({ length: 10_001 }, () => "{}")])
    assert.match(await failureOf(call("sessions.import", { key: "new", lines })), /^ValiError/);
});

test("threat F only an admin takes a conversation out or brings one in", async () => {
  const { call } = await talkedIn();
  const write = { scopes: new Set(["operator.read", "operator.write"]) };
  for (const [name, params] of [
    ["sessions.export", { key: "main" }],
    ["sessions.import", { key: "x", lines: [] }],
  ] as const)
    assert.is(await failureOf(call(name, params, write)), "forbidden: missing scope: operator.admin");
});

test.run();
