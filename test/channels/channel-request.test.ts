import { test } from "uvu";
import * as assert from "uvu/assert";
import { answerOf, ask, codeOf, download } from "../../src/channels/channel-request.ts";
import { Failure } from "../../src/kit/error.ts";
import { scriptedContext, type ContextOptions } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";

const secretUrl = "https://api.example/bot123:SECRET/send";

function network(answer: NonNullable<ContextOptions["answer"]>) {
  const scripted = scriptedContext({ answer });
  const { signal } = scripted.context;
  return { ...scripted, request: { label: "Acme", url: secretUrl, signal } };
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.instance(failure, Failure);
  return failure as Failure;
}

test("what is asked is sent as JSON, and answered with the JSON that came", async () => {
  const { context, request, requests } = network(() => Response.json({ ok: true }));
  assert.equal(await ask(context, { ...request, json: { text: "hi" }, headers: { "x-key": "k" } }), { ok: true });
  const [sent] = requests;
  assert.equal(
    [sent?.method, sent?.headers.get("content-type"), sent?.headers.get("x-key")],
    ["POST", "application/json", "k"],
  );
  assert.equal(sent?.json, { text: "hi" });
});

test("without a body it is a GET, and an answer that is no JSON is undefined", async () => {
  const { context, request, requests } = network(() => new Response("<html>"));
  assert.is(await ask(context, request), undefined);
  assert.is(requests[0]?.method, "GET");
});

test("a refusal says what to do by its code, with the network's words, and shows no address", async () => {
  const body = { description: "chat not found\nat all" };
  const answers: readonly (readonly [number, string])[] = [
    [400, "invalid-request"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not-found"],
    [408, "timeout"],
    [429, "rate-limited"],
    [500, "timeout"],
    [503, "unavailable"],
  ];
  for (const [status, code] of answers) {
    assert.is(codeOf(status), code);
    const { context, request } = network(() => Response.json({ message: body.description }, { status }));
    const failure = await failureOf(ask(context, request));
    assert.is(failure.code, code);
    assert.match(failure.message, `Acme answered ${status}`);
    assert.not.match(failure.message, "SECRET");
    assert.not.match(failure.message, "\n");
  }
});

test("a network that has words of its own for a refusal is asked what they mean, and may leave it to the status", async () => {
  const { context, request } = network(() =>
    Response.json({ parameters: { wait: 3 }, message: "slow down" }, { status: 400 }),
  );
  const bodies: unknown[] = [];
  const moved = new Failure("rate-limited", "Acme wants fewer", { retryAfterMs: 3000 });
  assert.is(await failureOf(ask(context, { ...request, refusal: () => moved })), moved);
  const refusal = (status: number, body: unknown): undefined => void bodies.push([status, body]);
  const failure = await failureOf(ask(context, { ...request, refusal }));
  assert.equal([failure.code, failure.message], ["invalid-request", "Acme answered 400: slow down"]);
  assert.equal(bodies, [[400, { parameters: { wait: 3 }, message: "slow down" }]]);
});

test("a network that asks for patience is understood", async () => {
  const { context, request } = network(() => new Response("", { status: 429, headers: { "retry-after": "7" } }));
  assert.is((await failureOf(ask(context, request))).retryAfterMs, 7000);
});

test("an exchange that broke may have been done, unless it only read or never arrived", async () => {
  const broken = network(() => {
    throw new TypeError(`fetch failed: ${secretUrl}`);
  });
  const changed = await failureOf(ask(broken.context, { ...broken.request, json: {} }));
  assert.equal([changed.code, changed.message], ["timeout", "Acme cannot be reached"]);
  assert.is((await failureOf(ask(broken.context, broken.request))).code, "unavailable");
  const refused = network(() => {
    throw new TypeError("fetch failed", { cause: Object.assign(new Error("no"), { code: "ECONNREFUSED" }) });
  });
  assert.is((await failureOf(ask(refused.context, { ...refused.request, json: {} }))).code, "unavailable");
});

test("an answer that does not begin in time is a timeout", async () => {
  const { context, request, clock } = network(() => new Promise(() => undefined));
  const late = failureOf(ask(context, { ...request, json: {}, timeoutMs: 5000 }));
  await settle();
  await clock.advance(5000);
  assert.is((await late).code, "timeout");
});

test("an account that ends takes its requests with it", async () => {
  const acme = network(() => new Promise(() => undefined));
  const cut = failureOf(ask(acme.context, acme.request));
  await settle();
  acme.end();
  assert.is((await cut).code, "aborted");
});

test("a redirect is not followed: what goes with a request is for one origin alone", async () => {
  const { context, request, requests } = network(
    () => new Response(null, { status: 302, headers: { location: "https://elsewhere.example/" } }),
  );
  await failureOf(answerOf(context, request));
  assert.is(requests.length, 1);
});

test("threat H a file that is larger than it may be is not taken, whether it says so or not", async () => {
  const bytes = new Uint8Array(100);
  const good = network(() => new Response(bytes));
  assert.is((await download(good.context, { ...good.request, maxBytes: 100 })).byteLength, 100);
  assert.is((await failureOf(download(good.context, { ...good.request, maxBytes: 99 }))).code, "invalid-request");
  let given = 0;
  const endless = network(
    () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            given++;
            controller.enqueue(bytes);
          },
        }),
      ),
  );
  const failure = await failureOf(download(endless.context, { ...endless.request, maxBytes: 1000 }));
  assert.is(failure.code, "invalid-request");
  assert.ok(given < 100, `${given} pieces were read`);
});

test("a file that stops in the middle is not taken for a whole one", async () => {
  const half = (): Response =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(10)),
        pull: () => new Promise(() => undefined),
      }),
    );
  const { context, request, clock } = network(half);
  const cut = failureOf(download(context, { ...request, maxBytes: 100 }));
  await settle();
  await clock.advance(30_000);
  assert.is((await cut).code, "unavailable");
});

test.run();
