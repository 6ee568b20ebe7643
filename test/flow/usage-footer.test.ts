import { test } from "uvu";
import * as assert from "uvu/assert";
import type { RunOutcome } from "../../src/agent/runner.ts";
import { withUsage } from "../../src/flow/usage-footer.ts";
import { noUsage } from "../../src/session/message.ts";

const outcome: RunOutcome = {
  status: "ok",
  payloads: [{ text: "yes" }],
  stopReason: "stop",
  provider: "p",
  model: "m",
  usage: { ...noUsage, input: 1200, cacheRead: 300, output: 80, cost: { ...noUsage.cost, total: 0.0123 } },
};

const lastOf = (level: Parameters<typeof withUsage>[1], of = outcome) => withUsage(of, level).payloads.at(-1)?.text;

test("what was used stands under the answer where it was asked for", () => {
  assert.is(lastOf("tokens"), "Usage: 1.5k in / 80 out");
  assert.is(lastOf("cost"), "Usage: $0.0123");
  assert.is(lastOf("full"), "Usage: 1.5k in / 80 out · $0.0123 · p/m");
});

test("nothing is added where it was not, nor to no answer", () => {
  assert.is(withUsage(outcome, undefined), outcome);
  assert.is(withUsage(outcome, "off"), outcome);
  assert.equal(withUsage({ ...outcome, payloads: [] }, "full").payloads, []);
});

test("a cost that is not known is not called zero", () => {
  assert.is(lastOf("cost", { ...outcome, usage: noUsage }), "Usage: cost unknown");
  assert.not.match(lastOf("full", { ...outcome, usage: noUsage }) ?? "", /\$/);
});

test.run();
