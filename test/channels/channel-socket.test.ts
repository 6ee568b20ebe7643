import { test } from "uvu";
import * as assert from "uvu/assert";
import { openLine, type LineOptions } from "../../src/channels/channel-socket.ts";
import type { Socket, SocketEvents } from "../../src/host/socket.ts";
import { Failure } from "../../src/kit/error.ts";
import { scriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";

test("messages are taken one at a time and in order, and what came before the end before it", async () => {
  const heard: string[] = [];
  const { far, line, clock } = dial({
    async heard(text, _, at) {
      await clock.sleep(100);
      heard.push(`${text} ${at}`);
    },
  });
  await settle();
  far().send("one");
  far().send("two");
  far().close(1000, "");
  await settle();
  assert.equal(heard, []);
  await clock.advance(200);
  assert.equal(heard, ["one 0", "two 0"]);
  await line.ended;
  assert.is(clock.armed, 0);
});

test("a connection that breaks says how", async () => {
  const { far, line } = dial({
    reason: (code) => (code === 4004 ? new Failure("unauthorized", "wrong token") : undefined),
  });
  await settle();
  far().close(4004, "");
  assert.is((await failed(line.ended)).code, "unauthorized");
  const other = dial();
  await settle();
  other.far().close(4000, "some trouble");
  assert.match((await failed(other.line.ended)).message, /The network broke \(4000: some trouble\)/);
});

test("a message that cannot be taken ends the connection, and nothing after it is taken", async () => {
  const heard: string[] = [];
  const { far, line, clock } = dial({
    heard(text) {
      heard.push(text);
      throw new Failure("unavailable", "the disk is full");
    },
  });
  await settle();
  far().send("one");
  far().send("two");
  assert.is((await failed(line.ended)).message, "the disk is full");
  await settle();
  assert.equal([heard, line.say("x"), clock.armed], [["one"], false, 0]);
});

test("a network that no longer answers is noticed", async () => {
  const { far, line, clock } = dial({}, { ping: () => undefined });
  await settle();
  far().send("alive");
  await clock.advance(59_000);
  assert.ok(line.say("still there"));
  await clock.advance(31_000);
  assert.match((await failed(line.ended)).message, /silent/);
});

test("reading stops while too much waits, and goes on", async () => {
  const asked: string[] = [];
  const heard: string[] = [];
  const spied = { pause: () => void asked.push("pause"), resume: () => void asked.push("resume") };
  const { far, clock, line } = dial(
    {
      async heard(text) {
        await clock.sleep(1);
        heard.push(text);
      },
    },
    spied,
  );
  await settle();
  for (let turn = 0; turn < 60; turn++) far().send(String(turn));
  await settle();
  assert.ok(asked.includes("pause"));
  await clock.advance(100);
  assert.is(heard.length, 60);
  assert.is(asked.at(-1), "resume");
  line.close();
});

test("an account that ends ends its connection, and none is made after it", async () => {
  const { line, end, context } = dial();
  await settle();
  end();
  assert.is((await failed(line.ended)).code, "aborted");
  assert.throws(() => openLine(context, options(context.signal)), /aborted/);
});

test("without WebSockets a person is told so", () => {
  const { context } = scriptedContext();
  assert.throws(() => openLine({ ...context, net: {} }, options(context.signal)), /needs WebSockets/);
});

function options(signal: AbortSignal, given: Partial<LineOptions> = {}): LineOptions {
  return { label: "The network", url: "wss://network.test/", signal, heard: () => undefined, ...given };
}

/** A line, and the socket of the network's side; `near` takes the place of what our side's socket does. */
function dial(given: Partial<LineOptions> = {}, near: Partial<Socket> = {}) {
  let remote: Socket | undefined;
  const events: SocketEvents = {
    open: (socket) => void (remote = socket),
    message: () => undefined,
    pong: () => undefined,
    drain: () => undefined,
    close: () => undefined,
  };
  const scripted = scriptedContext({ dialled: () => events });
  const { context, clock } = scripted;
  const net = {
    dial: (...call: Parameters<NonNullable<typeof context.net.dial>>) => {
      const socket = context.net.dial?.(...call);
      assert.ok(socket);
      return Object.assign(Object.create(socket) as Socket, near);
    },
  };
  const line = openLine({ clock, net }, options(context.signal, given));
  const far = (): Socket => {
    assert.ok(remote);
    return remote;
  };
  return { context, clock, end: () => scripted.end(), line, far };
}

async function failed(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, Failure);
  return Failure.from(error);
}

test.run();
