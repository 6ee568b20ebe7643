import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { createDedupe } from "../../src/gateway/dedupe.ts";
import { createDispatcher } from "../../src/gateway/dispatch.ts";
import { method } from "../../src/methods/method.ts";
import { scriptedApp } from "../support/app.ts";

const twoAnswers = method({
  name: "two",
  scope: "operator.read",
  summary: "Answers twice.",
  params: () => v.object({ fail: v.optional(v.boolean(), false) }),
  result: () => v.object({ status: v.string() }),
  async run({ accept, params }) {
    accept({ status: "accepted" });
    await Promise.resolve();
    if (params.fail) throw new Error("broken");
    return { status: "ok" };
  },
});

function dispatch(params: object) {
  const { app, connection, host } = scriptedApp();
  const dispatcher = createDispatcher(app, [twoAnswers], createDedupe(host.clock));
  const first: string[] = [];
  const options = { signal: new AbortController().signal, accept: (json: string) => void first.push(json) };
  const request = { kind: "request", id: "1", method: "two", params } as const;
  return { first, second: Promise.resolve(dispatcher.run(request, connection, options)) };
}

test("a method of two responses gives the first while it runs, and the second as its result", async () => {
  const { first, second } = dispatch({});
  assert.equal(first, ['{"status":"accepted"}']);
  assert.is(await second, '{"status":"ok"}');
});

test("what fails after the first response is the second one", async () => {
  const { first, second } = dispatch({ fail: true });
  const outcome = await second.catch((error: unknown) => String(error));
  assert.equal([first.length, outcome], [1, "Error: broken"]);
});

test("a method that is refused gives no response of its own", () => {
  assert.throws(() => dispatch({ fail: "yes" }), "invalid two params: at /fail: must be boolean");
});

test.run();
