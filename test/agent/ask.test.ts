import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Route } from "../../src/model/accounts.ts";
import type { RunEvent } from "../../src/agent/runner.ts";
import { Failure } from "../../src/kit/error.ts";
import { providerFailureOf, type FailureKind } from "../../src/providers/provider-failure.ts";
import { textOf } from "../../src/session/message.ts";
import {
  modelSpec,
  routeTo,
  scriptedAccounts,
  scriptedBudget,
  scriptedRunner,
  type Reply,
  type ScriptedRunner,
} from "../support/scripted-model.ts";

const one = modelSpec();
const two = modelSpec({ id: "two" });
const twoCredentials = [routeTo(one, "test:a"), routeTo(one, "test:b"), routeTo(two)];

test("the next credential is asked, then the next model, and each outcome is reported", async () => {
  for (const kind of ["auth", "billing", "rate_limit", "overloaded", "network", "timeout"] as const) {
    const { outcome, asked, accounts } = await answered([{ fails: kind }, { fails: kind }, { text: "hi" }]);
    assert.is(outcome.status, "ok", kind);
    assert.is(outcome.model, "two");
    assert.equal(asked, ["one", "one", "two"]);
    assert.equal(accounts.reports, [
      { profileId: "test:a", outcome: kind },
      { profileId: "test:b", outcome: kind },
      { profileId: "test:default", outcome: "ok" },
    ]);
  }
});

test("another credential is not tried where only another model can help", async () => {
  for (const kind of ["refusal", "format", "no_model"] as const) {
    const { asked, outcome } = await answered([{ fails: kind }, { text: "hi" }]);
    assert.equal(asked, ["one", "two"], kind);
    assert.is(outcome.status, "ok");
  }
});

test("a wait is only for when nothing else is at hand, as long as the provider asks for", async () => {
  const runner = await scriptedRunner([{ fails: "rate_limit", retryAfterMs: 7000 }, { text: "hi" }]);
  await runner.say("hi");
  const running = runner.run();
  await runner.host.clock.advance(6999);
  assert.is(runner.model.requests.length, 1);
  assert.equal(waits(runner), [{ type: "waiting", reason: "test/one: rate limited", ms: 7000 }]);
  await runner.host.clock.advance(1);
  assert.is((await running).status, "ok");
});

test("without advice the waits grow, and end", async () => {
  const runner = await scriptedRunner(() => ({ fails: "overloaded" }));
  await runner.say("hi");
  const running = runner.run();
  await runner.host.clock.advance(120_000);
  const outcome = await running;
  assert.is(outcome.status, "error");
  const waited = waits(runner).map((event) => (event.type === "waiting" ? event.ms : 0));
  assert.is(waited.length, 5);
  waited.forEach((ms, round) => assert.ok(ms >= 1000 * 2 ** round && ms <= 1100 * 2 ** round, String(ms)));
  assert.is(runner.model.requests.length, 6);
});

test("nobody waits longer than half a minute: the failure says when to come back", async () => {
  const runner = await scriptedRunner([{ fails: "rate_limit", retryAfterMs: 31_000 }]);
  await runner.say("hi");
  const { status, error } = await runner.run();
  assert.is(status, "error");
  assert.is(error?.retryAfterMs, 31_000);
  assert.equal(waits(runner), []);
});

test("a deadline ends a wait", async () => {
  const runner = await scriptedRunner([{ fails: "rate_limit", retryAfterMs: 20_000 }]);
  await runner.say("hi");
  const stop = new AbortController();
  const running = runner.run({ signal: stop.signal });
  await runner.host.clock.advance(1000);
  stop.abort(new Failure("timeout", "the run took longer than 1 s"));
  const outcome = await running;
  assert.is(outcome.status, "timeout");
  await runner.host.clock.advance(1000);
  assert.is(runner.host.clock.armed, 0);
});

test("an answer that breaks off is taken back and asked for again, twice at most", async () => {
  const repaired = await answered([{ text: "Hel", fails: "network" }, { text: "Hello" }], [routeTo(one)]);
  assert.equal(repaired.outcome.payloads, [{ text: "Hello" }]);
  assert.equal(streamed(repaired.runner), ["+Hel", "retract", "+Hello"]);

  const vanished = await answered([{ text: "Hel", vanishes: true }, { text: "Hello" }], [routeTo(one)]);
  assert.equal(streamed(vanished.runner), ["+Hel", "retract", "+Hello"]);

  const broken = await answered(
    [{ text: "a", fails: "network" }, { text: "b", fails: "network" }, { text: "c", fails: "network" }, { text: "d" }],
    [routeTo(one), routeTo(two)],
  );
  assert.equal(broken.asked, ["one", "one", "one", "two"]);
  assert.equal(streamed(broken.runner), ["+a", "retract", "+b", "retract", "+c", "retract", "+d"]);
});

test("text that was shown when everything failed stays with the failure", async () => {
  const { outcome, runner } = await answered([{ text: "so far", fails: "refusal" }], [routeTo(one)]);
  assert.is(outcome.status, "error");
  const last = (await runner.messages()).at(-1);
  assert.ok(last?.role === "assistant");
  assert.is(textOf(last), "so far");
  assert.is(last.stopReason, "error");
  assert.is(last.errorMessage, "test says refusal");
  assert.not(streamed(runner).includes("retract"));
});

test("the failure names each model that was tried and why, and no credential", async () => {
  const kinds: readonly FailureKind[] = ["auth", "billing", "refusal"];
  const { outcome } = await answered(kinds.map((fails) => ({ fails })));
  assert.is(outcome.error?.message, "no model answered (test/one: out of credit; test/two: declined to answer)");
  assert.is(providerFailureOf(outcome.error)?.kind, "refusal");
});

test("when nothing can be asked the failure says what to do", async () => {
  const { outcome } = await answered([], []);
  assert.is(outcome.error?.code, "config");
  assert.is(outcome.error?.message, "no model can be asked: set TEST_API_KEY");
});

test("a dialect that stumbles is a reason to ask the next model", async () => {
  const { outcome, asked } = await answered(
    [{ throws: new TypeError("x is undefined") }, { text: "hi" }],
    [routeTo(one), routeTo(two)],
  );
  assert.equal(asked, ["one", "two"]);
  assert.is(outcome.status, "ok");
});

test("a request is reserved at its most and settled at what it took", async () => {
  const budget = scriptedBudget();
  const runner = await scriptedRunner([{ text: "hi" }], { budget });
  await runner.say("hi");
  await runner.run();
  assert.is(budget.reserved[0]?.maxUsage.output, 8000);
  assert.ok((budget.reserved[0]?.maxUsage.input ?? 0) > 100);
  assert.is(budget.settled[0]?.totalTokens, 15);
});

test("what broke off in the middle is settled by a guess, what failed at once by nothing", async () => {
  const budget = scriptedBudget();
  const accounts = scriptedAccounts([routeTo(one), routeTo(two)]);
  const runner = await scriptedRunner([{ fails: "auth" }, { text: "x".repeat(400), fails: "refusal" }], {
    budget,
    accounts,
  });
  await runner.say("hi");
  await runner.run();
  assert.is(budget.settled.length, 2);
  assert.is(budget.settled[0], undefined);
  assert.is(budget.settled[1]?.output, 100);
});

test("a budget that refuses ends the run before anything is asked", async () => {
  const refuse = () => {
    throw new Failure("rate-limited", "the budget of this day (1 USD) is used up until midnight");
  };
  const runner = await scriptedRunner([{ text: "hi" }], { budget: scriptedBudget(refuse), routes: twoCredentials });
  await runner.say("hi");
  const outcome = await runner.run();
  assert.is(outcome.status, "error");
  assert.match(outcome.error?.message ?? "", /used up until midnight/);
  assert.is(runner.model.requests.length, 0);
  assert.equal(runner.accounts.reports, []);
});

test("a budget's warning reaches the outcome once", async () => {
  const budget = scriptedBudget(() => "80 % of this day's budget is used");
  const runner = await scriptedRunner([{ calls: [{ name: "nothing" }] }, { text: "hi" }], { budget });
  await runner.say("hi");
  assert.equal((await runner.run()).warnings, ["80 % of this day's budget is used"]);
});

test("an answer that is silent is not shown, one that only begins like it is", async () => {
  const silent = await answered([{ text: ["NO_", "REPLY"] }]);
  assert.equal(silent.outcome.payloads, []);
  assert.equal(streamed(silent.runner), []);
  const word = await answered([{ text: ["N", "O"] }]);
  assert.equal(word.outcome.payloads, [{ text: "NO" }]);
  assert.equal(streamed(word.runner), ["+NO"]);
  const more = await answered([{ text: ["NO_", "WAY", "!"] }]);
  assert.equal(streamed(more.runner), ["+NO_WAY", "+!"]);
});

interface Answered {
  readonly runner: ScriptedRunner;
  readonly outcome: Awaited<ReturnType<ScriptedRunner["run"]>>;
  readonly accounts: ScriptedRunner["accounts"];
  /** Ids of the models that were asked, in order. */
  readonly asked: readonly string[];
}

async function answered(script: readonly Reply[], routes: readonly Route[] = twoCredentials): Promise<Answered> {
  const runner = await scriptedRunner(script, { routes });
  await runner.say("hi");
  const outcome = await runner.run();
  return { runner, outcome, accounts: runner.accounts, asked: runner.model.requests.map(({ model }) => model.id) };
}

function waits({ events }: ScriptedRunner): readonly RunEvent[] {
  return events.filter(({ type }) => type === "waiting");
}

function streamed({ events }: ScriptedRunner): readonly string[] {
  return events.flatMap((event) =>
    event.type === "text" ? [`+${event.delta}`] : event.type === "retract" ? ["retract"] : [],
  );
}

test.run();
