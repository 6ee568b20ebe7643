import { test } from "uvu";
import * as assert from "uvu/assert";
import { keepConnected, pause, type Attempt } from "../../src/channels/channel-connection.ts";
import { Failure } from "../../src/kit/error.ts";
import { scriptedContext, type ScriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";

interface Kept extends ScriptedContext {
  readonly attempts: number[];
  readonly over: Promise<void>;
}

/** Keeps a connection whose every attempt the test decides; times are those of the fake clock. */
function keep(attempt: (number: number, given: Attempt) => Promise<void>): Kept {
  const scripted = scriptedContext();
  const attempts: number[] = [];
  const startedAt = scripted.clock.monotonic();
  const over = keepConnected(scripted.context, (given) => {
    attempts.push(scripted.clock.monotonic() - startedAt);
    return attempt(attempts.length, given);
  });
  return { ...scripted, attempts, over };
}

const never = (): Promise<never> => new Promise(() => undefined);

test("an account that loses its connection says so, waits, and is connected again", async () => {
  const { states, clock, attempts } = keep(async (number, given) => {
    given.ready({ id: "1", name: "Bot" });
    if (number === 1) throw new Failure("unavailable", "the line broke");
    await never();
  });
  await settle();
  assert.equal(states, [
    { state: "connecting", reason: undefined },
    { state: "ready", self: { id: "1", name: "Bot" } },
    { state: "connecting", reason: "the line broke" },
  ]);
  await clock.advance(2000);
  assert.is(attempts.length, 2);
  assert.equal(states.at(-1), { state: "ready", self: { id: "1", name: "Bot" } });
});

test("waits grow while it fails, and a connection that stood long makes the next one short again", async () => {
  let hold = false;
  const { clock, attempts } = keep(async (_, given) => {
    if (hold) {
      given.ready();
      await clock.sleep(60_000);
    }
    throw new Failure("unavailable", "no");
  });
  await settle();
  for (let second = 0; second < 8; second++) await clock.advance(1000);
  // With half of the jitter: 0.9, 1.8 and 3.6 seconds apart.
  assert.equal(attempts, [0, 900, 2700, 6300]);
  hold = true;
  await clock.advance(7200);
  assert.is(attempts.length, 5);
  hold = false;
  await clock.advance(60_000);
  assert.equal(attempts.slice(4), [13_500, 13_500 + 60_000 + 900]);
});

test("a network that asks for patience is given it", async () => {
  const { clock, attempts } = keep(() =>
    Promise.reject(new Failure("rate-limited", "slow down", { retryAfterMs: 30_000 })),
  );
  await settle();
  await clock.advance(29_999);
  assert.is(attempts.length, 1);
  await clock.advance(1);
  assert.is(attempts.length, 2);
});

for (const code of ["unauthorized", "forbidden", "config"] as const) {
  test(`${code} is for a person: the account fails, and nothing is tried again`, async () => {
    const { states, clock, attempts, over } = keep(() => Promise.reject(new Failure(code, "the token was revoked")));
    await over;
    await clock.advance(3600_000);
    assert.equal(states.at(-1), { state: "failed", reason: "the token was revoked" });
    assert.is(attempts.length, 1);
  });
}

test("an end is an end: in the middle of a connection, and while it waits", async () => {
  const open = keep((_, { signal }) => {
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("cut"))));
  });
  await settle();
  open.end();
  await open.over;
  const waiting = keep(() => Promise.reject(new Failure("unavailable", "no")));
  await settle();
  waiting.end();
  await waiting.over;
  assert.equal([open.attempts.length, waiting.attempts.length], [1, 1]);
});

test("a pause rejects with a Failure when the account ends", async () => {
  const scripted = scriptedContext();
  const paused = pause(scripted.context, 1000).then(
    () => "went on",
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  );
  scripted.end();
  assert.is(await paused, "aborted");
});

test.run();
