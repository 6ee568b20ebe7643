import { test } from "uvu";
import * as assert from "uvu/assert";
import { repeatable } from "../../src/channels/channel-repeatable.ts";
import { Failure } from "../../src/kit/error.ts";

test("an answer that was lost means again, and anything else what it meant", async () => {
  assert.is(await repeatable(Promise.resolve(1)), 1);
  const cases = [
    ["timeout", "unavailable"],
    ["rate-limited", "rate-limited"],
    ["not-found", "not-found"],
  ] as const;
  for (const [given, told] of cases) {
    const error = await repeatable(Promise.reject(new Failure(given, "it did not work"))).catch(
      (thrown: unknown) => thrown,
    );
    assert.equal([Failure.from(error).code, Failure.from(error).message], [told, "it did not work"]);
  }
});

test.run();
