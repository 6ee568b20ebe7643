import { test } from "uvu";
import * as assert from "uvu/assert";
import { showTyping } from "../../src/flow/typing.ts";
import type { TurnEvent } from "../../src/flow/turns.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { scriptedChannel, scriptedNetworks, type ScriptedChannelOptions } from "../support/scripted-channel.ts";

const key = "agent:main:main";
const chat = { channel: "scripted", accountId: "default", target: { to: "ann" } };

function world({ chatType, ...options }: ScriptedChannelOptions & { chatType?: "direct" | "group" } = {}) {
  const clock = createFakeClock();
  const network = scriptedChannel(options);
  const networks = scriptedNetworks([network]);
  const log: LogRecord[] = [];
  let listener: (event: TurnEvent) => void = () => undefined;
  const end = showTyping({
    clock,
    log: createLogger(() => clock.now(), [(record) => void log.push(record)]),
    turns: {
      onEvent(heard) {
        listener = heard;
        return () => void (listener = () => undefined);
      },
    },
    sessions: { get: () => ({ key, chatType }) as never },
    account: (channel, accountId) => networks.open(channel, accountId),
  });
  const tell = (runId: string, more: object): void => {
    const event = { runId, sessionKey: key, sessionId: "s", agentId: "main", ts: clock.now(), reply: chat, ...more };
    listener(event as unknown as TurnEvent);
  };
  return { clock, network, networks, log, tell, end };
}

const started = { kind: "started", startedAt: 0 };
const text = { kind: "progress", event: { type: "text", delta: "a", text: "a", itemId: "1" } };
const ended = { kind: "ended", state: {}, startedAt: 0 };

test("a person sees at once that an answer is being written, and until it is there", async () => {
  const { clock, network, tell } = world();
  tell("a", started);
  await clock.advance(0);
  assert.equal(network.typed, [{ to: "ann" }]);
  await clock.advance(12_000);
  assert.is(network.typed.length, 3);
  tell("a", ended);
  await clock.advance(60_000);
  assert.is(network.typed.length, 3);
  assert.is(clock.armed, 0);
});

test("a group sees it from the first word", async () => {
  const { clock, network, tell } = world({ chatType: "group" });
  tell("a", started);
  await clock.advance(60_000);
  assert.is(network.typed.length, 0);
  tell("a", text);
  tell("a", text);
  await clock.advance(0);
  assert.is(network.typed.length, 1);
});

test("runs that are answered together show it once, until the last of them has ended", async () => {
  const { clock, network, tell } = world();
  tell("a", started);
  tell("b", started);
  await clock.advance(0);
  assert.is(network.typed.length, 1);
  tell("a", ended);
  await clock.advance(6000);
  assert.is(network.typed.length, 2);
  tell("b", ended);
  await clock.advance(60_000);
  assert.is(network.typed.length, 2);
});

test("what has no chat to answer to shows it nowhere", async () => {
  const { clock, network, tell } = world();
  tell("a", { ...started, reply: undefined });
  await clock.advance(60_000);
  assert.is(network.typed.length, 0);
});

test("it stops by itself, and a network that cannot show it stops nobody", async () => {
  const { clock, networks, log, tell, end } = world();
  networks.setOpen("scripted", false);
  tell("a", started);
  await clock.advance(3600_000);
  assert.equal(
    log.map(({ level }) => level),
    ["debug"],
  );
  assert.is(clock.armed, 0);
  end();
  const long = world();
  long.tell("a", started);
  await long.clock.advance(3600_000);
  assert.is(long.network.typed.length, 100);
  const without = world({ abilities: { typing: false } });
  without.tell("a", started);
  await without.clock.advance(6000);
  without.end();
  assert.is(without.clock.armed, 0);
  assert.is(without.log.length, 0);
});

test.run();
