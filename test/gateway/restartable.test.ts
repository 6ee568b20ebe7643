import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ConfigSnapshot } from "../../src/config/config.ts";
import type { Exposure, Refusal } from "../../src/gateway/exposure.ts";
import { openRestartable } from "../../src/gateway/restartable.ts";
import { Failure } from "../../src/kit/error.ts";
import type { Tls } from "../../src/tls/load.ts";
import { createLogger } from "../../src/kit/log.ts";
import { settle } from "../support/fake-clock.ts";

const open = (port: string) => ({ bind: port, addresses: [] }) as unknown as Exposure;
const closed: Refusal = { lines: ["refusing to bind", "set a token"] } as unknown as Refusal;

/** What is opened only remembers what is asked of it. */
async function setUp() {
  const calls: string[] = [];
  const now = {
    exposure: open("loopback") as Exposure | Refusal,
    tls: async (): Promise<Tls | undefined> => undefined,
    reload: (): void => undefined,
    windDown: (): Promise<void> => Promise.resolve(),
    close: (): void => undefined,
    start: (): void => undefined,
  };
  const stop = new AbortController();
  const restartable = await openRestartable({
    front: {
      hold: async () => void calls.push("hold"),
      close: async () => void calls.push("front closed"),
    },
    config: {
      async reload() {
        now.reload();
        calls.push("read");
        return {} as ConfigSnapshot;
      },
    },
    log: createLogger(() => 0, [({ message }) => void calls.push(`log ${message}`)]),
    expose: () => now.exposure,
    encrypt: () => now.tls(),
    leaveSafeMode: async () => void calls.push("leave safe mode"),
    async start(exposure) {
      now.start();
      calls.push(`start ${exposure.bind}`);
      return {
        takeOver: async () => void calls.push("take over"),
        refresh: async (key) => void calls.push(`refresh ${key}`),
        async windDown() {
          calls.push("wind down");
          await now.windDown();
        },
        stays: async (why) => void calls.push(`stays: ${why.message}`),
        async close(_, { silence }) {
          await silence();
          now.close();
          calls.push("closed");
        },
      };
    },
  });
  calls.length = 0;
  const wish = { signal: stop.signal, begun: () => void calls.push("begun") };
  return { restartable, calls, now, stop, restart: () => restartable.restart(wish) };
}

test("the configuration that counts is the one after the turns have ended", async () => {
  const { calls, now, restart } = await setUp();
  now.windDown = async () => void (now.exposure = open("lan"));
  assert.is(await restart(), undefined);
  assert.equal(calls, ["read", "wind down", "read", "begun", "hold", "closed", "leave safe mode", "start lan"]);
});

test("a certificate that cannot be served with changes nothing either", async () => {
  const { calls, now, restart } = await setUp();
  now.tls = () => Promise.reject(new Failure("config", "no certificate"));
  assert.is((await restart())?.message, "no certificate");
  assert.equal(calls, ["read", "stays: no certificate"]);
});

test("an unsafe or unreadable configuration changes nothing, and is told to who asked", async () => {
  const { calls, now, restart } = await setUp();
  now.exposure = closed;
  assert.is((await restart())?.code, "config");
  assert.equal(calls, ["read", "stays: refusing to bind set a token"]);
  now.exposure = open("loopback");
  now.reload = () => {
    throw new Failure("config", "cannot read it");
  };
  assert.is((await restart())?.message, "cannot read it");
  assert.equal(calls.slice(2), ["stays: cannot read it"]);
});

test("what gets unsafe or unreadable while turns end does not end a gateway that could start when it was asked", async () => {
  const { calls, now, restart } = await setUp();
  now.windDown = async () => {
    now.exposure = closed;
    now.reload = () => {
      throw new Failure("config", "gone");
    };
  };
  assert.is(await restart(), undefined);
  assert.is(calls.at(-1), "start loopback");
});

test("a stop while turns end leaves everything to it", async () => {
  const { calls, now, stop, restart } = await setUp();
  now.windDown = async () => stop.abort();
  assert.is((await restart())?.code, "aborted");
  assert.equal(calls, ["read", "wind down"]);
});

test("a part that cannot be closed does not keep the gateway from starting anew", async () => {
  const { calls, now, restart } = await setUp();
  now.close = () => {
    throw new Error("disk full");
  };
  assert.is(await restart(), undefined);
  assert.ok(calls.includes("log closing before the restart failed"));
  assert.is(calls.at(-1), "start loopback");
});

test("a start that fails is told to who asked, and the end has nothing to close but the sockets", async () => {
  const { restartable, calls, now, restart } = await setUp();
  now.start = () => {
    throw new Failure("failed", "no conversations");
  };
  const failure = await restart().catch((error: unknown) => Failure.from(error).message);
  assert.is(failure, "no conversations");
  calls.length = 0;
  await restartable.close("gateway stopping");
  assert.equal(calls, ["front closed"]);
});

test("the state folder is taken over by the gateway that a restart opens, not by the one that it closes", async () => {
  const { restartable, calls, now, restart } = await setUp();
  let go = (): void => undefined;
  now.windDown = () => new Promise<void>((resolve) => (go = resolve));
  const restarting = restart();
  await settle();
  const takingOver = restartable.takeOver();
  await settle();
  assert.not.ok(calls.includes("take over"));
  go();
  await Promise.all([restarting, takingOver]);
  assert.equal(calls.slice(-2), ["start loopback", "take over"]);
});

test("an end at once does not wait for turns", async () => {
  const { restartable, calls } = await setUp();
  await restartable.close("lost", { atOnce: true });
  assert.equal(calls, ["front closed", "closed", "front closed"]);
});

test.run();
