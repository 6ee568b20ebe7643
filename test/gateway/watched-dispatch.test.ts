import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Connection } from "../../src/app.ts";
import type { Dispatcher } from "../../src/gateway/dispatch.ts";
import { watchDispatcher } from "../../src/gateway/watched-dispatch.ts";
import { Failure } from "../../src/kit/error.ts";
import type { Request } from "../../src/protocol/frame.ts";

const request: Request = { kind: "request", id: "1", method: "health", params: {}, traceparent: "00" };
const options = { signal: new AbortController().signal, accept: () => undefined };

/** What the observer is told of one call of this dispatcher, and what the caller gets. */
async function watched(run: Dispatcher["run"]): Promise<{ told: unknown[]; got: unknown }> {
  const told: unknown[] = [];
  const dispatcher = watchDispatcher(
    { run },
    {
      called(seen) {
        assert.is(seen, request);
        return (failure) => told.push(failure?.code ?? "ok");
      },
    },
  );
  try {
    return { told, got: await dispatcher.run(request, {} as Connection, options) };
  } catch (error) {
    return { told, got: error };
  }
}

test("an observer is told how each call ends, and the caller gets what it would have got", async () => {
  const refused = new Failure("forbidden", "no");
  assert.equal(await watched(() => "1"), { told: ["ok"], got: "1" });
  assert.equal(await watched(() => Promise.resolve("2")), { told: ["ok"], got: "2" });
  const thrown = await watched(() => {
    throw refused;
  });
  assert.equal(thrown.told, ["forbidden"]);
  assert.is(thrown.got, refused);
  const rejected = await watched(() => Promise.reject(refused));
  assert.equal(rejected.told, ["forbidden"]);
  assert.is(rejected.got, refused);
});

test("an answer that is there at once stays so: nobody waits for who watches", () => {
  const dispatcher = watchDispatcher({ run: () => "1" }, { called: () => undefined });
  assert.is(dispatcher.run(request, {} as Connection, options), "1");
});

test("where nobody watches, nothing stands between", () => {
  const dispatcher: Dispatcher = { run: () => "1" };
  assert.is(watchDispatcher(dispatcher, undefined), dispatcher);
});

test.run();
