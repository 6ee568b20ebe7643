import { test } from "uvu";
import * as assert from "uvu/assert";
import { isSigned, signature } from "../../src/channels/channel-signature.ts";
import { webhook, webhookPath, type Hearing } from "../../src/channels/channel-webhook.ts";
import { Failure } from "../../src/kit/error.ts";
import { scriptedContext, type ScriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { base64, hex, hmac } from "../support/networks/webhook-caller.ts";

const url = "https://us.example/hook";
const message = (id: string) => ({
  id,
  peer: { kind: "direct" as const, id: "a" },
  sender: { id: "a" },
  text: id,
  mentioned: false,
  to: { to: "a" },
  at: 0,
});

function hearing(changed: Partial<Hearing<true>> = {}): {
  handle: (request: Request) => Promise<Response>;
  context: ScriptedContext;
} {
  const context = scriptedContext();
  const hook = webhook<true>(context.context, {
    path: "/hook",
    prove: async (request) => (request.headers.get("proof") === "good" ? true : undefined),
    read: (body) => JSON.parse(body).map(message),
    ...changed,
  });
  return { handle: (request) => hook.handle(request), context };
}

const post = (body: string, proof = "good"): Request => new Request(url, { method: "POST", body, headers: { proof } });

test("messages are taken in one after the other before the network hears 200", async () => {
  const { handle, context } = hearing();
  assert.is((await handle(post('["1","2"]'))).status, 200);
  assert.equal(
    context.received.map(({ id }) => id),
    ["1", "2"],
  );
});

test("what cannot be taken in now is asked for again, whatever the reason", async () => {
  const { handle, context } = hearing();
  for (const code of ["unavailable", "invalid-request", "unauthorized", "internal"] as const) {
    context.refuse(new Failure(code, "no"));
    assert.is((await handle(post('["1"]'))).status, 503);
  }
});

test("what cannot be taken in yet is kept while the account runs, unless its network brings it again", async () => {
  for (const bringsAgain of [undefined, true] as const) {
    const { handle, context } = hearing(bringsAgain ? { bringsAgain } : {});
    context.refuse(new Failure("unavailable", "the disk is full"));
    await handle(post('["1","2"]'));
    await context.clock.advance(5000);
    context.refuse(undefined);
    await context.clock.advance(60_000);
    assert.equal(
      context.received.map(({ id }) => id),
      bringsAgain ? [] : ["1", "2"],
    );
    assert.is(context.clock.armed, 0);
  }
});

test("threat H no more is kept than there is room for, and nothing when the account ends", async () => {
  const { handle, context } = hearing();
  context.refuse(new Failure("unavailable", "the disk is full"));
  for (let turn = 0; turn < 150; turn++) await handle(post(`["${turn}"]`));
  assert.is(context.clock.armed, 100);
  context.end();
  await settle();
  assert.is(context.clock.armed, 0);
});

test("threat B words are not read before the proof", async () => {
  let read = 0;
  const { handle } = hearing({ read: () => (read++, []) });
  assert.is((await handle(post("[]", "bad"))).status, 401);
  assert.is(read, 0);
});

test("threat H a body is as long as it may be, whatever it says of itself", async () => {
  const { handle, context } = hearing({ maxBody: 10 });
  assert.is((await handle(post('["12345678"]'))).status, 400);
  const said = new Request(url, { method: "POST", body: '["1"]', headers: { proof: "good", "content-length": "99" } });
  assert.is((await handle(said)).status, 400);
  assert.is((await handle(post('["1"]'))).status, 200);
  assert.is(context.received.length, 1);
});

test("other methods, and everything when the account has ended, are refused", async () => {
  const { handle, context } = hearing();
  assert.is((await handle(new Request(url))).status, 405);
  context.end();
  assert.is((await handle(post('["1"]'))).status, 503);
});

test("threat G an answer and the log say nothing of the body, and the log not more often than every minute", async () => {
  const { handle, context } = hearing({ prove: async () => undefined });
  for (let turn = 0; turn < 5; turn++) assert.is(await (await handle(post("secret words"))).text(), "");
  await context.clock.advance(60_000);
  await handle(post("secret words"));
  assert.is(context.log.length, 2);
  assert.not.ok(JSON.stringify(context.log).includes("secret words"));
});

test("threat K each account has a path of its own", () => {
  const path = (given: string | undefined, accountId: string): string =>
    webhookPath(given, { usual: "/hook", accountId });
  assert.equal(
    [path(undefined, "default"), path(undefined, "shop/1"), path("/mine", "x")],
    ["/hook", "/hook/shop%2F1", "/mine"],
  );
});

test("threat K a signature is that of the whole text under the secret, and a blank secret has none", async () => {
  const data = "grüße";
  assert.is(await signature("key", { data, form: "hex" }), hex(await hmac("key", data)));
  const given = base64(await hmac("key", data));
  assert.ok(await isSigned("key", { data, form: "base64", given }));
  assert.ok(await isSigned("key", { data, form: "hex", given: hex(await hmac("key", data)).toUpperCase() }));
  for (const [secret, text, mark] of [
    ["key", "other", given],
    ["other", data, given],
    ["", data, given],
    ["key", data, ""],
    ["key", data, null],
  ] as const)
    assert.not.ok(await isSigned(secret, { data: text, form: "base64", given: mark }));
});

test.run();
