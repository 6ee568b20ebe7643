import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Client } from "../../src/client/client.ts";
import { Failure } from "../../src/kit/error.ts";
import { createLink, type Link, type LinkState, type Proof } from "../../src/page/link.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";

interface Scene {
  readonly link: Link;
  readonly clock: FakeClock;
  readonly states: LinkState[];
  readonly proofs: Proof[];
  readonly kept: { secret: string | undefined; deviceToken: string | undefined };
  /** Ends the connection that is open, from the other side. */
  readonly lose: (reason: Failure) => void;
  readonly settle: () => Promise<void>;
  readonly state: LinkState["kind"] | undefined;
}

type Answer = { readonly deviceToken?: string } | Failure;

/** A link to a gateway that answers connects by a script; the last answer stays. */
function scene(
  answer: (proof: Proof, attempt: number) => Answer,
  kept: Partial<Scene["kept"]> = {},
  answers = true,
): Scene {
  const clock = createFakeClock();
  const states: LinkState[] = [];
  const proofs: Proof[] = [];
  const held = { secret: kept.secret, deviceToken: kept.deviceToken };
  let close: ((reason: Failure) => void) | undefined;
  const link = createLink({
    clock,
    random: () => 0.5,
    vault: {
      secret: () => held.secret,
      keepSecret: (secret) => void (held.secret = secret),
      deviceToken: async () => held.deviceToken,
      keepDeviceToken: async (token) => void (held.deviceToken = token),
    },
    async connect(proof, on) {
      proofs.push(proof);
      const said = answer(proof, proofs.length);
      if (said instanceof Failure) throw said;
      close = on.close;
      const payload = { auth: said };
      const client: Client = {
        hello: { payload, latencyMs: 1 },
        call: () => new Promise(() => undefined),
        request: async () => ({}),
        close: () => undefined,
      };
      return client;
    },
    answers: async () => answers,
    onState: (state) => states.push(state),
    onEvent: () => undefined,
  });
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await clock.advance(0);
  };
  return {
    link,
    clock,
    states,
    proofs,
    kept: held,
    settle,
    lose: (reason) => close?.(reason),
    get state() {
      return states.at(-1)?.kind;
    },
  };
}

function refusal(code: string, more: object = {}): Failure {
  return new Failure("unauthorized", code, { details: { code, ...more } });
}

const gone = new Failure("failed", "gateway closed (1006)", { details: { closeCode: 1006 }, retryable: true });

test("comes in by the token that was handed over, and by the device's own the next time", async () => {
  const at = scene(() => ({ deviceToken: "d1" }), { secret: "s" });
  at.link.start();
  await at.settle();
  assert.equal([at.state, at.kept.deviceToken], ["ready", "d1"]);
  assert.equal(at.proofs, [{ secret: "s", deviceToken: undefined }]);
  const next = scene(() => ({ deviceToken: "d1" }), { deviceToken: "d1" });
  next.link.start();
  await next.settle();
  assert.equal(next.proofs, [{ secret: undefined, deviceToken: "d1" }]);
});

test("asks for the secret that is wanted, and says that one was wrong", async () => {
  const at = scene(({ secret }) =>
    secret === "right" ? {} : refusal(secret === undefined ? "AUTH_PASSWORD_MISSING" : "AUTH_PASSWORD_MISMATCH"),
  );
  at.link.start();
  await at.settle();
  assert.equal(at.states.at(-1), { kind: "sign-in", wants: "password", why: undefined });
  at.link.signIn("wrong");
  await at.settle();
  assert.equal(at.states.at(-1), { kind: "sign-in", wants: "password", why: "That password is not the gateway's." });
  assert.is(at.kept.secret, undefined, "a wrong secret is not kept");
  at.link.signIn("right");
  await at.settle();
  assert.is(at.state, "ready");
});

test("an old link with a wrong token does not lock out a browser that is known", async () => {
  const at = scene(({ secret }) => (secret ? refusal("AUTH_TOKEN_MISMATCH") : {}), { secret: "old", deviceToken: "d" });
  at.link.start();
  await at.settle();
  assert.is(at.state, "ready");
  assert.equal(at.proofs.at(-1), { secret: undefined, deviceToken: "d" });
});

test("a device's token that was taken back is forgotten, and the form says so", async () => {
  const at = scene(({ deviceToken }) => refusal(deviceToken ? "AUTH_DEVICE_TOKEN_MISMATCH" : "AUTH_TOKEN_MISSING"), {
    deviceToken: "d",
  });
  at.link.start();
  await at.settle();
  assert.is(at.kept.deviceToken, undefined);
  const why = "The gateway took this browser's access back.";
  assert.equal(at.states.at(-1), { kind: "sign-in", wants: "token", why });
});

test("waits for approval and goes on by itself", async () => {
  const asks = refusal("PAIRING_REQUIRED", { requestId: "r1", reason: "not-paired" });
  const at = scene((_, attempt) => (attempt < 3 ? asks : { deviceToken: "d" }), { secret: "s" });
  at.link.start();
  await at.settle();
  assert.equal(at.states.at(-1), { kind: "pairing", requestId: "r1", why: "This browser is new to the gateway." });
  await at.clock.advance(2000);
  await at.settle();
  await at.clock.advance(2000);
  await at.settle();
  assert.is(at.state, "ready");
});

test("does not ask again by itself when its request was turned down", async () => {
  const at = scene((_, attempt) => refusal("PAIRING_REQUIRED", { requestId: attempt === 1 ? "r1" : "r2" }));
  at.link.start();
  await at.settle();
  await at.clock.advance(2000);
  await at.settle();
  assert.is(at.state, "stopped");
  await at.clock.advance(60_000);
  await at.settle();
  assert.is(at.proofs.length, 2);
  at.link.hurry();
  await at.settle();
  assert.is(at.state, "pairing");
});

test("comes back after a restart, and tries more rarely the longer it takes", async () => {
  const at = scene((_, attempt) => (attempt === 1 || attempt > 7 ? {} : new Failure("timeout", "no hello")));
  at.link.start();
  await at.settle();
  at.lose(
    new Failure("failed", "gateway closed (1012)", { details: { closeCode: 1012, closeReason: "service restart" } }),
  );
  assert.equal(at.states.at(-1), { kind: "away", why: "The gateway restarts.", retryAt: at.clock.now() + 400 });
  const waits: number[] = [];
  for (let turn = 0; turn < 7; turn++) {
    const state = at.states.at(-1);
    if (state?.kind !== "away") break;
    waits.push(state.retryAt - at.clock.now());
    await at.clock.advance(state.retryAt - at.clock.now());
    await at.settle();
  }
  assert.equal(waits, [400, 400, 800, 1600, 3200, 6400, 12_800]);
  assert.is(at.state, "ready");
});

test("too many wrong attempts are waited out, and not multiplied", async () => {
  const limited = new Failure("rate-limited", "later", {
    details: { code: "AUTH_RATE_LIMITED" },
    retryAfterMs: 120_000,
  });
  const at = scene(() => limited, { secret: "s" });
  at.link.start();
  await at.settle();
  await at.clock.advance(119_000);
  await at.settle();
  assert.is(at.proofs.length, 1);
});

test("a gateway that answers requests but no WebSocket refuses this origin: that is said, and not tried for ever", async () => {
  const at = scene(() => gone);
  at.link.start();
  for (let turn = 0; turn < 5; turn++) {
    await at.settle();
    await at.clock.advance(5000);
  }
  const state = at.states.at(-1);
  assert.match(state?.kind === "stopped" ? state.advice : "", "allowedOrigins");
  const away = scene(() => gone, {}, false);
  away.link.start();
  for (let turn = 0; turn < 5; turn++) {
    await away.settle();
    await away.clock.advance(5000);
  }
  assert.is(away.state, "away");
});

test("a connection on which nothing is heard is opened anew", async () => {
  const at = scene(() => ({}));
  at.link.start();
  await at.settle();
  await at.clock.advance(76_000);
  await at.settle();
  assert.is(at.proofs.length, 2);
});

test.run();
