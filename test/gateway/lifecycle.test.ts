import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLifecycle, type RestartWish } from "../../src/gateway/lifecycle.ts";
import { Failure } from "../../src/kit/error.ts";
import { createLogger } from "../../src/kit/log.ts";
import { settle } from "../support/fake-clock.ts";
import { Exit, scriptedHost } from "../support/host.ts";

interface Restart extends RestartWish {
  /** Ends it: done, refused, or failed. */
  end(outcome?: Failure | Error): Promise<void>;
}

/** A lifecycle over a gateway whose restarts and end are the test's. */
function setUp({ mayRestart = true, closes = true } = {}) {
  const host = scriptedHost();
  const calls: string[] = [];
  const restarts: Restart[] = [];
  const log = createLogger(() => host.clock.now(), [({ message }) => void calls.push(`log ${message}`)]);
  const gateway = {
    restart: (wish: RestartWish) =>
      new Promise<Failure | undefined>((resolve, reject) => {
        restarts.push({
          ...wish,
          async end(outcome) {
            if (outcome === undefined || outcome instanceof Failure) resolve(outcome);
            else reject(outcome);
            await settle();
          },
        });
      }),
    close(_: string, { atOnce } = { atOnce: false }) {
      calls.push(atOnce ? "close at once" : "close");
      return closes ? Promise.resolve() : new Promise<void>(() => undefined);
    },
  };
  const lifecycle = createLifecycle(host, gateway, {
    log,
    mayRestart: () => mayRestart,
    restarting: () => void calls.push("restarting"),
    begun: () => void calls.push("begun"),
    restarted: async (refusal) => void calls.push(refusal ? `not restarted: ${refusal.message}` : "restarted"),
    stopping: async (reason, status) => void calls.push(`stopping ${status}: ${reason}`),
  });
  let status: number | undefined;
  void lifecycle.ended.then((given) => (status = given));
  return { host, lifecycle, calls, restarts, status: () => status };
}

test("SC-169 SIGUSR1 restarts where the configuration allows it, and is said to be ignored where not", async () => {
  const allowed = setUp();
  allowed.host.processes.signal("SIGUSR1");
  await settle();
  assert.is(allowed.restarts.length, 1);
  assert.equal(allowed.calls, ["log received SIGUSR1; restarting", "restarting"]);

  const refused = setUp({ mayRestart: false });
  refused.host.processes.signal("SIGUSR1");
  await settle();
  assert.is(refused.restarts.length, 0);
  assert.match(refused.calls.join(), "SIGUSR1 restart ignored (not authorized");
});

test("who asks while a restart waits for turns is served by it; who asks after its beginning gets another one", async () => {
  const { lifecycle, restarts, calls } = setUp();
  lifecycle.restart("first");
  await settle();
  lifecycle.restart("while it waits");
  await settle();
  restarts[0]?.begun();
  lifecycle.restart("after the configuration was read");
  lifecycle.restart("and once more");
  await restarts[0]?.end();
  assert.is(restarts.length, 2);
  restarts[1]?.begun();
  await restarts[1]?.end();
  assert.is(restarts.length, 2);
  assert.equal(
    calls.filter((call) => call.startsWith("log")),
    ["log first", "log after the configuration was read"],
  );
  assert.is(calls.filter((call) => call === "begun").length, 2);
});

test("a refused restart is told, and the next wish is a new one", async () => {
  const { lifecycle, restarts, calls, status } = setUp();
  lifecycle.restart("first");
  await settle();
  lifecycle.restart("while it waits");
  await restarts[0]?.end(new Failure("config", "not safe"));
  assert.match(calls.join(), "not restarted: not safe");
  assert.is(restarts.length, 1);
  lifecycle.restart("second");
  await settle();
  assert.is(restarts.length, 2);
  assert.is(status(), undefined);
});

test("a failed restart ends the gateway with status 1", async () => {
  const { lifecycle, restarts, calls, status } = setUp();
  lifecycle.restart("first");
  await settle();
  await restarts[0]?.end(new Error("no disk"));
  assert.is(status(), 1);
  assert.match(calls.join(), "stopping 1: stopping after a failed restart: no disk");
});

test("a stop during a restart tells it so, waits for it, and closes what it leaves", async () => {
  const { host, lifecycle, restarts, calls, status } = setUp();
  lifecycle.restart("first");
  await settle();
  lifecycle.restart("while it waits");
  host.processes.signal("SIGTERM");
  await settle();
  assert.ok(restarts[0]?.signal.aborted);
  assert.not.ok(calls.includes("close"), "the restart may still open something");
  await restarts[0]?.end(new Failure("aborted", "the gateway stops instead"));
  assert.is(status(), 0);
  assert.is(calls.at(-1), "close");
  assert.not.match(calls.join(), "not restarted");
  assert.is(restarts.length, 1, "what was asked for before the stop is not done after it");
});

test("a restart that is asked for while the gateway stops does not happen", async () => {
  const { host, lifecycle, restarts, status } = setUp();
  lifecycle.stop("enough", 0);
  lifecycle.restart("too late");
  host.processes.signal("SIGUSR1");
  await settle();
  assert.is(restarts.length, 0);
  assert.is(status(), 0);
});

test("a restart that hangs does not keep the gateway from ending", async () => {
  const { host, lifecycle, status } = setUp();
  lifecycle.restart("first");
  await settle();
  host.processes.signal("SIGTERM");
  await host.clock.advance(29_999);
  assert.is(status(), undefined);
  await host.clock.advance(1);
  assert.is(status(), 0);
  assert.ok(lifecycle.overdue);
});

test("SC-170 the same signal twice within a moment is one wish; a later one ends at once with 130", async () => {
  const { host, calls, status } = setUp({ closes: false });
  host.processes.signal("SIGINT");
  await host.clock.advance(300);
  host.processes.signal("SIGINT");
  assert.is(calls.filter((call) => call.startsWith("stopping")).length, 1);
  await host.clock.advance(1);
  try {
    host.processes.signal("SIGTERM");
    assert.unreachable();
  } catch (error) {
    assert.instance(error, Exit);
    assert.is((error as Exit).code, 130);
  }
  assert.is(status(), undefined);
});

test("who has lost the state folder does not wait for its turns", async () => {
  const { lifecycle, calls, status } = setUp();
  lifecycle.stop("lost", 75);
  await settle();
  assert.is(calls.at(-1), "close at once");
  assert.is(status(), 75);
});

test("after the end no signal is heard, and no timer is left", async () => {
  const { host, lifecycle } = setUp();
  lifecycle.stop("enough", 0);
  await settle();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"] as const) assert.is(host.processes.signal(signal), 0);
  assert.is(host.clock.armed, 0);
});

test.run();
