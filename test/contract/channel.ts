import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import type { Channel, ChannelKind } from "../../src/channels/channel.ts";
import { Failure } from "../../src/kit/error.ts";
import { scriptedContext, type ContextOptions, type ScriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";

/** The other end of an account: a double of the network, which the suite drives. What is optional is not tested. */
export interface NetworkDouble {
  /** How the account reaches it; beside this it must not matter how it is reached. */
  readonly reached: ContextOptions;
  /** Hears of the context that its account was given, before the account is opened. */
  started?(context: ScriptedContext): void;
  /** Settings with which an account signs in there, as they stand in the configuration. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** A recipient of it, as a person writes him. */
  readonly recipient: string;
  /** Texts that arrived there, in order. */
  readonly sent: readonly string[];
  /** What the real network would have refused; nothing, when all is well. */
  readonly problems: readonly string[];
  /** Somebody writes to us. A network that calls us (a webhook) does so now, and again when it was not answered 2xx. */
  write(text: string, channel: Channel): void | Promise<void>;
  /** What we sign in with is no longer good: connections end, and new ones are refused. */
  revoke?(): void;
  /** Cuts what is open, without a word. */
  drop?(): void;
  /** Refuses the next message that is sent to it, for so many seconds. */
  limit?(seconds: number): void;
}

export interface ChannelContract {
  /** Loads the network's own file. */
  readonly kind: () => Promise<ChannelKind>;
  /** A new double. */
  readonly network: () => NetworkDouble;
  /** Lets some time pass; ten seconds in steps of one unless given. */
  readonly pass?: (context: ScriptedContext) => Promise<void>;
}

/** What every network owes the gateway. Each test of it opens an account at a double of its own. */
export function channelContract(name: string, { kind, network, pass = tenSeconds }: ChannelContract): void {
  async function opened(): Promise<Opened> {
    const double = network();
    const context = scriptedContext(double.reached);
    double.started?.(context);
    const declared = await kind();
    const channel = await declared.open(v.parse(declared.settings, double.settings), context.context);
    await pass(context);
    return { double, context, channel, declared };
  }
  const it = (does: string, has: (double: NetworkDouble) => boolean, prove: (given: Opened) => Promise<void>): void =>
    test(`${name}: ${does}`, async () => {
      if (!has(network())) return;
      const given = await opened();
      try {
        await prove(given);
        assert.equal(given.double.problems, []);
      } finally {
        given.context.end();
        await given.channel.close();
        await settle();
      }
    });
  const always = (): boolean => true;

  it("says that it connects, and then that it is there", always, async ({ context }) => {
    assert.is(context.states[0]?.state, "connecting");
    assert.is(context.states.at(-1)?.state, "ready", JSON.stringify(context.log));
  });

  it("a message that is written comes in once", always, async ({ double, context, channel }) => {
    await double.write("hello", channel);
    await pass(context);
    await pass(context);
    assert.equal(textsOf(context), ["hello"]);
    const [message] = context.received;
    assert.ok(message?.id && message.sender.id && message.peer.id && message.to.to);
  });

  it("what could not be taken comes again, under the same id", always, async ({ double, context, channel }) => {
    context.refuse(new Failure("unavailable", "the disk is full"));
    const written = Promise.resolve(double.write("keep me", channel));
    await pass(context);
    assert.equal(textsOf(context), []);
    context.refuse(undefined);
    for (let turn = 0; turn < 20 && context.received.length === 0; turn++) await pass(context);
    await written;
    await pass(context);
    assert.equal(textsOf(context), ["keep me"]);
  });

  it("an answer arrives, and is known by an id", always, async ({ double, context, channel, declared }) => {
    const signal = context.context.signal;
    const target = declared.target(double.recipient);
    const sent = await channel.send(target, { text: "an answer" }, { key: "a-key", signal });
    assert.type(sent.id, "string");
    assert.ok(sent.id !== "");
    assert.equal(double.sent, ["an answer"]);
  });

  it(
    "a network that wants fewer messages is left alone as long as it says",
    (double) => double.limit !== undefined,
    async ({ double, context, channel, declared }) => {
      double.limit?.(7);
      const target = declared.target(double.recipient);
      const options = { key: "a-key", signal: context.context.signal };
      const error = await rejected(channel.send(target, { text: "an answer" }, options));
      assert.equal([error.code, error.retryAfterMs], ["rate-limited", 7000]);
      await context.clock.advance(7000);
      await channel.send(target, { text: "an answer" }, options);
      assert.equal(double.sent, ["an answer"]);
    },
  );

  it(
    "a connection that is cut is made again, and messages come",
    (double) => double.drop !== undefined,
    async ({ double, context, channel }) => {
      double.drop?.();
      for (let turn = 0; turn < 20 && context.states.at(-1)?.state !== "ready"; turn++) await pass(context);
      assert.is(context.states.at(-1)?.state, "ready");
      await double.write("after it", channel);
      for (let turn = 0; turn < 20 && context.received.length === 0; turn++) await pass(context);
      assert.equal(textsOf(context), ["after it"]);
    },
  );

  it(
    "credentials that were revoked end in `failed`, and nobody is asked any more",
    (double) => double.revoke !== undefined,
    async ({ double, context }) => {
      double.revoke?.();
      for (let turn = 0; turn < 60 && context.states.at(-1)?.state !== "failed"; turn++) await pass(context);
      assert.is(context.states.at(-1)?.state, "failed");
      const asked = context.requests.length;
      await context.clock.advance(3_600_000);
      assert.is(context.requests.length, asked);
    },
  );

  it("an account that ends leaves no timer and asks nothing more", always, async ({ context, channel }) => {
    context.end();
    await channel.close();
    await settle();
    assert.is(context.clock.armed, 0);
    const asked = context.requests.length;
    await context.clock.advance(600_000);
    assert.is(context.requests.length, asked);
  });

  it("no secret is in what it logs or says of itself", always, async ({ double, context }) => {
    double.drop?.();
    await pass(context);
    double.revoke?.();
    for (let turn = 0; turn < 6; turn++) await pass(context);
    const said = JSON.stringify([context.log, context.states]);
    for (const [key, value] of Object.entries(double.settings))
      if (typeof value === "string" && /token|password|secret|key/i.test(key)) assert.not.ok(said.includes(value), key);
  });
}

interface Opened {
  readonly double: NetworkDouble;
  readonly context: ScriptedContext;
  readonly channel: Channel;
  readonly declared: ChannelKind;
}

async function tenSeconds({ clock }: ScriptedContext): Promise<void> {
  for (let second = 0; second < 10; second++) await clock.advance(1000);
  await settle();
}

function textsOf({ received }: ScriptedContext): readonly string[] {
  return received.map(({ text }) => text);
}

async function rejected(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, Failure);
  return Failure.from(error);
}
