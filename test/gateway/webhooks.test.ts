import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Webhook } from "../../src/channels/channel.ts";
import { createLimiter } from "../../src/gateway/limiter.ts";
import type { Locality } from "../../src/gateway/locality.ts";
import { createWebhookDoor } from "../../src/gateway/webhooks.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { createFakeClock } from "../support/fake-clock.ts";

await import("../../src/agent/interrupt.ts");

function door(handle: Webhook["handle"], maxBody?: number) {
  const clock = createFakeClock();
  const records: LogRecord[] = [];
  const log = createLogger(() => clock.now(), [(record) => void records.push(record)]);
  const limits = { maxAttempts: 3, windowMs: 60_000, lockoutMs: 300_000 };
  const open = createWebhookDoor({ clock, log, limiter: createLimiter(clock, () => limits) });
  const webhook: Webhook = { path: "/acme", handle, ...(maxBody === undefined ? {} : { maxBody }) };
  return {
    clock,
    records,
    send: (init: RequestInit = {}, address = "203.0.113.7") =>
      open(webhook, new Request("http://gateway/acme", { method: "POST", ...init }), from(address)),
  };
}

function from(address: string): Locality {
  return { address, local: false, via: undefined, forged: false };
}

const refused = async (): Promise<Response> => new Response(null, { status: 401 });

test("a webhook is handed on whole: method, headers and body", async () => {
  const seen: string[] = [];
  const { send } = door(async (request) => {
    seen.push(`${request.method} ${request.headers.get("x-signature")} ${await request.text()}`);
    return new Response("taken");
  });
  const response = await send({ body: "hello", headers: { "x-signature": "abc" } });
  assert.equal([response.status, await response.text()], [200, "taken"]);
  await send({ method: "GET" });
  assert.equal(seen, ["POST abc hello", "GET null "]);
});

test("only GET and POST are a network's", async () => {
  const { send } = door(() => Promise.reject(new Error("must not be asked")));
  const response = await send({ method: "PUT", body: "x" });
  assert.equal([response.status, response.headers.get("allow")], [405, "GET, POST"]);
});

test("threat H a body that is too large is not read, whether it says so or not", async () => {
  let asked = 0;
  const { send } = door(async () => {
    asked++;
    return new Response();
  }, 10);
  assert.is((await send({ body: "x".repeat(11), headers: { "content-length": "11" } })).status, 413);
  let given = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      given++;
      controller.enqueue(new Uint8Array(8));
    },
  });
  assert.is((await send({ body: endless, duplex: "half" } as RequestInit)).status, 413);
  assert.ok(given < 10, `${given} pieces were read`);
  assert.is(asked, 0);
  assert.is((await send({ body: "x".repeat(10) })).status, 200);
});

test("threat H a body that does not come is not waited for", async () => {
  const { send, clock } = door(async () => new Response());
  const silent = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) });
  const answer = send({ body: silent, duplex: "half" } as RequestInit);
  await clock.advance(10_000);
  assert.is((await answer).status, 408);
});

test("threat I who is refused too often waits, and nobody else does", async () => {
  let handle: Webhook["handle"] = refused;
  const { send, clock } = door((request) => handle(request));
  for (let time = 0; time < 3; time++) assert.is((await send()).status, 401);
  const locked = await send();
  assert.equal([locked.status, locked.headers.get("retry-after")], [429, "300"]);
  handle = async () => new Response();
  assert.is((await send()).status, 429);
  assert.is((await send({}, "203.0.113.8")).status, 200);
  await clock.advance(300_000);
  for (let time = 0; time < 10; time++) assert.is((await send()).status, 200);
});

test("a network that sends many at once is not taken for one who guesses", async () => {
  const waiting: (() => void)[] = [];
  const { send, clock } = door(() => new Promise((resolve) => waiting.push(() => resolve(new Response()))));
  const many = Array.from({ length: 20 }, () => send());
  await clock.advance(0);
  waiting.forEach((go) => go());
  assert.equal(
    (await Promise.all(many)).map(({ status }) => status),
    many.map(() => 200),
  );
});

test("threat H one address cannot take the places of all others", async () => {
  const waiting: (() => void)[] = [];
  const { send, clock } = door(() => new Promise((resolve) => waiting.push(() => resolve(new Response()))));
  const many = Array.from({ length: 32 }, () => send());
  await clock.advance(0);
  assert.is((await send()).status, 503);
  const other = send({}, "203.0.113.99");
  await clock.advance(0);
  waiting.forEach((go) => go());
  assert.is((await other).status, 200);
  await Promise.all(many);
});

test("threat H so many at once, and the rest is told to come again", async () => {
  const waiting: (() => void)[] = [];
  const { send, clock } = door(() => new Promise((resolve) => waiting.push(() => resolve(new Response()))));
  const many = Array.from({ length: 64 }, (_, index) => send({}, `203.0.113.${index}`));
  await clock.advance(0);
  const one = await send({}, "203.0.113.99");
  assert.equal([one.status, one.headers.get("retry-after")], [503, "1"]);
  waiting.forEach((go) => go());
  assert.ok((await Promise.all(many)).every(({ status }) => status === 200));
});

test("what could not be taken in is asked for again, and nothing of why is told", async () => {
  const { send, records } = door(() => Promise.reject(new Error("secret internals")));
  const response = await send();
  assert.is(response.status, 503);
  assert.not.match(await response.text(), /secret internals/);
  assert.is(records.length, 1);
});

test("an account that takes too long is not waited for", async () => {
  const { send, clock } = door(() => new Promise(() => undefined));
  const answer = send();
  await clock.advance(9000);
  assert.is((await answer).status, 503);
});

test.run();
