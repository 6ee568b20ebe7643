import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Client } from "../../src/client/client.ts";
import { Failure } from "../../src/kit/error.ts";
import type { Conversation } from "../../src/page/conversation.ts";
import { createRoom, type Room } from "../../src/page/room.ts";

const key = "agent:main:main";

interface Call {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly answer: (value: unknown) => void;
  readonly fail: (error: Failure) => void;
}

interface Scene {
  readonly room: Room;
  readonly calls: Call[];
  readonly troubles: string[];
  /** Gives the room another connection, or none. */
  readonly connect: (is: boolean) => void;
  /** The newest call of this method, once it is there. */
  readonly called: (method: string) => Promise<Call>;
  readonly opened: (history?: object) => Promise<void>;
  readonly now: Conversation;
}

function scene(): Scene {
  const calls: Call[] = [];
  const troubles: string[] = [];
  let client: Client | undefined;
  let ids = 0;
  const room = createRoom({
    client: () => client,
    newId: () => `m${++ids}`,
    changed: () => undefined,
    trouble: (text) => troubles.push(text),
  });
  const request = (method: string, params: unknown) =>
    new Promise<never>((resolve, reject) => {
      const given = params as Call["params"];
      calls.push({ method, params: given, answer: (value) => resolve(value as never), fail: reject });
    });
  const self: Scene = {
    room,
    calls,
    troubles,
    connect: (is) =>
      (client = is
        ? { hello: { payload: {}, latencyMs: 1 }, call: request, request, close: () => undefined }
        : undefined),
    async called(method) {
      for (let turn = 0; turn < 50; turn++) {
        const found = calls.findLast((call) => call.method === method);
        if (found) return found;
        await Promise.resolve();
      }
      throw new Error(`${method} was not called: ${calls.map((call) => call.method).join()}`);
    },
    async opened(history = { messages: [], hasMore: false, sessionInfo: { key, sessionId: "s1" } }) {
      calls.length = 0;
      const done = room.open(key);
      (await self.called("sessions.messages.subscribe")).answer({});
      (await self.called("chat.history")).answer(history);
      await done;
    },
    get now() {
      return room.conversation;
    },
  };
  self.connect(true);
  return self;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

test("asks for events before the history, so that nothing falls between them", async () => {
  const at = scene();
  await at.opened();
  assert.equal(
    at.calls.map(({ method }) => method),
    ["sessions.messages.subscribe", "chat.history"],
  );
});

test("a message that was lost on the way is sent again with the same id, so that it is said once", async () => {
  const at = scene();
  await at.opened();
  at.room.send("hello", []);
  const first = await at.called("chat.send");
  at.connect(false);
  first.fail(new Failure("failed", "gateway closed (1006)"));
  await settle();
  assert.equal(
    at.now.sending.map(({ state }) => state),
    ["sending"],
  );
  at.connect(true);
  await at.opened();
  const again = await at.called("chat.send");
  assert.is(again.params["idempotencyKey"], first.params["idempotencyKey"]);
  again.answer({ runId: "m1", status: "ok" });
  await settle();
  assert.equal(at.now.sending, []);
});

test("a message that the transcript has after a reconnect is not sent again", async () => {
  const at = scene();
  await at.opened();
  at.room.send("hello", []);
  at.connect(false);
  at.connect(true);
  const message = { role: "user", content: "hello", __openclaw: { id: "1", idempotencyKey: "m1:user" } };
  await at.opened({ messages: [message], hasMore: false, sessionInfo: { key, sessionId: "s1" } });
  await settle();
  assert.equal([at.now.sending.length, at.calls.filter(({ method }) => method === "chat.send").length], [0, 0]);
});

test("a refused message stays with its reason, is tried again with its pictures and the same id, or goes", async () => {
  const at = scene();
  await at.opened();
  at.room.send("look", [{ fileName: "a.png", mimeType: "image/png", content: "AAAA", preview: "blob:x" }]);
  (await at.called("chat.send")).fail(new Failure("invalid-request", "too large"));
  await settle();
  assert.equal(at.now.sending, [{ id: "m1", text: "look", pictures: ["blob:x"], state: "failed", why: "too large" }]);
  at.calls.length = 0;
  at.room.retry("m1");
  const { params, fail } = await at.called("chat.send");
  assert.equal(params, {
    sessionKey: key,
    message: "look",
    idempotencyKey: "m1",
    attachments: [{ type: "image", fileName: "a.png", mimeType: "image/png", content: "AAAA" }],
  });
  fail(new Failure("invalid-request", "too large"));
  await settle();
  at.room.discard("m1");
  assert.equal(at.now.sending, []);
});

test("written without a connection, it is sent when there is one", async () => {
  const at = scene();
  await at.opened();
  at.connect(false);
  at.room.send("later", []);
  await settle();
  assert.is(at.calls.filter(({ method }) => method === "chat.send").length, 0);
  at.connect(true);
  await at.opened();
  assert.is((await at.called("chat.send")).params["message"], "later");
});

test("what is not sent yet is not lost by looking at another conversation", async () => {
  const at = scene();
  await at.opened();
  at.connect(false);
  at.room.send("later", []);
  await at.room.open("agent:main:other");
  assert.equal([at.now.key, at.now.sending.length], ["agent:main:other", 0]);
  await at.room.open(key);
  assert.equal(
    at.now.sending.map(({ text }) => text),
    ["later"],
  );
  await at.room.open("agent:main:other");
  at.connect(true);
  at.calls.length = 0;
  void at.room.open("agent:main:other");
  (await at.called("sessions.messages.subscribe")).answer({});
  (await at.called("chat.history")).answer({ messages: [], hasMore: false });
  const { params, answer } = await at.called("chat.send");
  assert.equal([params["sessionKey"], params["message"]], [key, "later"]);
  answer({ runId: "m1", status: "started" });
  await settle();
  at.connect(false);
  await at.room.open(key);
  assert.equal(at.now.sending, []);
});

test("older messages are asked for from where the loaded ones begin, one page at a time", async () => {
  const at = scene();
  const message = (id: string) => ({ role: "user", content: id, __openclaw: { id } });
  await at.opened({ messages: [message("3"), message("4")], hasMore: true, sessionInfo: { key, sessionId: "s1" } });
  at.calls.length = 0;
  const done = at.room.older();
  void at.room.older();
  const page = await at.called("chat.history");
  assert.is(page.params["offset"], 2);
  page.answer({ messages: [message("1"), message("2")], hasMore: false });
  await done;
  assert.equal([at.now.messages?.length, at.now.hasMore, at.calls.length], [4, false, 1]);
});

test("a conversation that begins anew is loaded anew", async () => {
  const at = scene();
  await at.opened();
  at.calls.length = 0;
  at.room.hear("sessions.changed", { sessionKey: key, session: { key, sessionId: "s2" } });
  assert.is(at.now.messages, undefined);
  (await at.called("sessions.messages.subscribe")).answer({});
  (await at.called("chat.history")).answer({ messages: [], hasMore: false, sessionInfo: { key, sessionId: "s2" } });
  await settle();
  assert.equal([at.now.messages?.length, at.troubles], [0, []]);
});

test.run();
