import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Budget } from "../../src/budget/budget.ts";
import { type OpenBudget, openBudget } from "../../src/budget/open-budget.ts";
import { Failure } from "../../src/kit/error.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import type { Usage } from "../../src/session/message.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createStandbyLogs } from "../../src/store/standby.ts";
import { scriptedConfig, type ScriptedConfig } from "../support/app.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createMemoryFiles, type MemoryFiles } from "../support/memory-files.ts";

/** Noon of a day in the middle of a month, in whatever time zone the test runs. */
const noon = new Date(2026, 10, 17, 12).getTime();
const hour = 3_600_000;
const day = 24 * hour;
const dollars = (usd: number, tokens = 1000): Usage => ({
  input: tokens,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  totalTokens: tokens,
  cost: { input: usd, output: 0, cacheRead: 0, cacheWrite: 0, total: usd },
});

interface Opened {
  readonly budget: OpenBudget;
  readonly clock: FakeClock;
  readonly files: MemoryFiles;
  readonly config: ScriptedConfig;
  readonly records: readonly LogRecord[];
  /** A new process over the same disk; what the old one had in memory is gone. */
  readonly again: () => Promise<Opened>;
}

async function open(
  limits: unknown,
  machine: { clock?: FakeClock; files?: MemoryFiles; standby?: () => boolean } = {},
): Promise<Opened> {
  const clock = machine.clock ?? createFakeClock(noon);
  const files = machine.files ?? createMemoryFiles(() => clock.now());
  files.putFolder("/state");
  const config = scriptedConfig({ agents: { defaults: { budget: limits } } });
  const records: LogRecord[] = [];
  const log = createLogger(() => clock.now(), [(record) => void (record.level !== "debug" && records.push(record))]);
  const logs = createStandbyLogs(createFolderLogs(files, "/state"), () =>
    machine.standby?.() === true ? { pid: 1 } : undefined,
  );
  const budget = await openBudget({ logs, config, clock, log });
  return { budget, clock, files, config, records, again: () => open(limits, { clock, files }) };
}

const request = (usd: number, more: { agentId?: string; sessionKey?: string; tokens?: number } = {}) => ({
  agentId: more.agentId ?? "main",
  sessionKey: more.sessionKey ?? "agent:main:main",
  provider: "openai",
  model: "gpt-5",
  maxUsage: dollars(usd, more.tokens),
});

async function refusal(budget: Budget, usd: number, more: Parameters<typeof request>[1] = {}): Promise<Failure> {
  try {
    await budget.reserve(request(usd, more));
  } catch (error) {
    return Failure.from(error);
  }
  throw new Error("the request was not refused");
}

const spend = async (budget: Budget, usd: number, more: Parameters<typeof request>[1] = {}) =>
  (await budget.reserve(request(usd, more))).settle(dollars(usd, more.tokens));

const total = async (budget: Budget) => {
  const rows = await budget.totals({ since: 0, until: Infinity });
  return rows.reduce((sum, { usage }) => sum + usage.cost.total, 0);
};

test("a request that could pass the limit of the day is refused, and told when it opens", async () => {
  const { budget, clock } = await open({ day: { usd: 5 } });
  await spend(budget, 4.9);
  const failure = await refusal(budget, 0.31);
  assert.is(failure.code, "rate-limited");
  assert.is(
    failure.message,
    "the budget of today is $5.00; $4.90 of it is spent or set aside, and this request may take $0.31. " +
      "It opens again on 2026-11-18 at 0:00; raise agents.defaults.budget.day.usd to go on",
  );
  assert.is(failure.retryAfterMs, 12 * hour);
  await spend(budget, 0.1);
  await clock.advance(12 * hour - 1);
  await refusal(budget, 0.1);
  await clock.advance(1);
  await spend(budget, 5);
});

test("what is set aside counts until it is settled", async () => {
  const { budget } = await open({ install: { usd: 10 } });
  const reservation = await budget.reserve(request(8));
  assert.is((await refusal(budget, 3)).retryable, false);
  await reservation.settle(dollars(1));
  await reservation.settle(dollars(9));
  await spend(budget, 8);
  const failed = await budget.reserve(request(1));
  await failed.settle(undefined);
  await spend(budget, 1);
  await refusal(budget, 0.01);
});

test("two requests at the same time do not both take the rest of a budget", async () => {
  const { budget } = await open({ install: { usd: 10 } });
  const outcomes = await Promise.allSettled([budget.reserve(request(6)), budget.reserve(request(6))]);
  assert.equal(outcomes.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
});

test("agents and sessions have budgets of their own, in tokens as well", async () => {
  const { budget } = await open({ agent: { tokens: 1000 }, session: { usd: 2 } });
  await spend(budget, 1, { tokens: 900 });
  assert.match(
    (await refusal(budget, 1, { tokens: 101 })).message,
    /the budget of the agent main for today is 1,000 tokens; 900 tokens/,
  );
  await spend(budget, 1, { agentId: "aide", sessionKey: "agent:aide:main" });
  assert.match((await refusal(budget, 1.5, { tokens: 1 })).message, /the budget of this session is \$2\.00/);
});

test("a warning comes once for a limit and its period, over restarts", async () => {
  const { budget, clock, again } = await open({ day: { usd: 10 }, warnAt: 0.5 });
  const warn = async (by: Budget, usd: number) => {
    const reservation = await by.reserve(request(usd));
    await reservation.settle(dollars(usd));
    return reservation.warning;
  };
  assert.is(await warn(budget, 4), undefined);
  assert.is(await warn(budget, 2), "With this request up to 60 % of the budget of today may be used ($10.00).");
  assert.is(await warn(budget, 1), undefined);
  assert.is(await warn((await again()).budget, 1), undefined);
  await clock.advance(day);
  assert.match((await warn(budget, 6)) ?? "", /60 %/);
});

test("spending is remembered over restarts, also of sessions in months that are over", async () => {
  const { budget, clock, files, again } = await open({ install: { usd: 10 }, session: { usd: 6 } });
  await spend(budget, 5);
  await clock.advance(40 * day);
  const second = await again();
  assert.match((await refusal(second.budget, 1.5)).message, /the budget of this session/);
  await spend(second.budget, 4, { sessionKey: "other" });
  assert.match((await refusal(second.budget, 1.5, { sessionKey: "third" })).message, /\$9\.00 of it/);
  assert.match(files.snapshot()["/state/usage/ledger-2026-11.jsonl"] ?? "", /^{"type":"sum",[^\n]*\n$/);
  const third = await second.again();
  assert.match((await refusal(third.budget, 1.5, { sessionKey: "third" })).message, /\$9\.00 of it/);
  assert.is(await total(third.budget), 9);
});

test("a request that was cut off by the end of the process counts in full, and is noted once", async () => {
  const { budget, again } = await open({ install: { usd: 10 } });
  await budget.reserve(request(7));
  const second = await again();
  assert.match((await refusal(second.budget, 4)).message, /\$7\.00 of it/);
  assert.is(second.records.length, 1);
  assert.match(second.records[0]?.message ?? "", /cut off by the end of the process/);
  const third = await second.again();
  assert.match((await refusal(third.budget, 4)).message, /\$7\.00 of it/);
  assert.equal(third.records, []);
  assert.is(await total(third.budget), 7);
});

test("killed anywhere, no less is counted than was spent, and a ledger opens", async () => {
  for (let after = 1; after < 40; after++) {
    const { budget, files, again, clock } = await open({ install: { usd: 100 } });
    let answered = 0;
    files.crashAfter(after);
    try {
      for (let turn = 0; turn < 3; turn++) {
        const reservation = await budget.reserve(request(3));
        answered += 2;
        await reservation.settle(dollars(2));
      }
    } catch {
      // killed: what the provider answered until now must be counted
    }
    files.recover();
    await clock.advance(after % 2 === 0 ? 0 : 31 * day);
    const second = await again();
    const spent = await total(second.budget);
    assert.ok(spent >= answered && spent <= 9, `killed after ${after}: ${spent} of ${answered}`);
    await second.budget.close();
    assert.is(await total((await second.again()).budget), spent);
  }
});

test("killed while a month is closed, nothing is counted twice or lost", async () => {
  for (let after = 1; after < 12; after++) {
    const { budget, files, clock, again } = await open({ install: { usd: 100 } });
    await spend(budget, 2);
    await budget.reserve(request(3));
    await clock.advance(31 * day);
    files.crashAfter(after);
    await (await again()).budget.close();
    files.recover();
    const { budget: last } = await again();
    assert.is(await total(last), 5);
    assert.match((await refusal(last, 96)).message, /\$5\.00 of it/);
  }
});

test("without limits nobody waits for the disk, and what was spent is noted", async () => {
  const { budget, files, records } = await open({});
  files.before = (operation) => {
    if (operation === "append") throw new Error("no space left");
  };
  await spend(budget, 1);
  await budget.close();
  assert.equal(
    records.map(({ level }) => level),
    ["warn"],
  );
  files.before = undefined;
  await spend(budget, 2);
  assert.is(await total(budget), 2);
});

test("with limits a request that cannot be set aside is not sent, and takes nothing", async () => {
  const { budget, files } = await open({ day: { usd: 5 } });
  files.before = (operation) => {
    if (operation === "append") throw new Error("no space left");
  };
  const failure = await refusal(budget, 5);
  assert.is(failure.code, "unavailable");
  assert.match(failure.message, /what it may cost could not be set aside: no space left/);
  files.before = undefined;
  await spend(budget, 5);
});

test("with limits and a ledger that cannot be read nothing is sent, until it can", async () => {
  const { budget, files, again } = await open({ day: { usd: 5 } });
  await spend(budget, 4);
  files.before = (operation) => {
    if (operation === "readRange" || operation === "stat") throw new Error("broken disk");
  };
  const second = await again();
  assert.match(
    (await refusal(second.budget, 1)).message,
    /could not be read, so that no budget can be kept: broken disk/,
  );
  files.before = undefined;
  assert.is((await refusal(second.budget, 2)).code, "rate-limited");
  await spend(second.budget, 1);
});

test("a damaged line is left out and said", async () => {
  const { budget, files, again } = await open({ install: { usd: 10 } });
  await spend(budget, 1);
  await spend(budget, 2);
  const ledger = "/state/usage/ledger-2026-11.jsonl";
  files.put(ledger, (files.snapshot()[ledger] ?? "").replace('"total":1', '"total":9'));
  const second = await again();
  assert.is(await total(second.budget), 2);
  assert.match(second.records[0]?.message ?? "", /damaged lines/);
});

test("limits that came while running hold for what was spent before", async () => {
  const { budget, config } = await open({});
  await spend(budget, 3);
  config.become({ agents: { defaults: { budget: { session: { usd: 5 } } } } });
  assert.match((await refusal(budget, 3)).message, /the budget of this session is \$5\.00; \$3\.00 of it/);
});

test("a wrong section does not lift the limits, and a wrong limit stops all", async () => {
  const { budget, config } = await open({});
  const source = { agents: { list: 5, defaults: { budget: { day: { usd: 1 } } } } };
  const off = (path: string) => [{ section: "agents", issue: { path, message: "expected a number" } }];
  config.become({}, { source, disabled: off("agents.list") });
  assert.match((await refusal(budget, 2)).message, /the budget of today is \$1\.00/);
  config.become({}, { source, disabled: off("agents.defaults.budget.day.usd") });
  const failure = await refusal(budget, 0.1);
  assert.is(failure.code, "config");
  assert.match(failure.message, /agents\.defaults\.budget\.day\.usd is wrong, so that nothing may be spent/);
});

test("totals are by quarter hour, agent, session and model, within the time asked for", async () => {
  const { budget, clock } = await open({});
  await spend(budget, 1);
  await clock.advance(60_000);
  await spend(budget, 2);
  await clock.advance(hour);
  await spend(budget, 4, { agentId: "aide", sessionKey: "agent:aide:main" });
  const rows = await budget.totals({ since: noon, until: noon + day });
  assert.equal(
    rows.map(({ ts, agentId, usage, requests }) => [ts - noon, agentId, usage.cost.total, requests]),
    [
      [0, "main", 3, 2],
      [hour, "aide", 4, 1],
    ],
  );
  assert.is((await budget.totals({ since: noon, until: noon + day, agentId: "aide" })).length, 1);
  assert.is((await budget.totals({ since: noon, until: noon + day, sessionKey: "agent:main:main" })).length, 1);
  assert.equal(await budget.totals({ since: noon + day, until: noon + 2 * day }), []);
});

test("a gateway that stands by leaves the ledger alone, and takes it over", async () => {
  const owner = await open({ install: { usd: 10 } });
  const reservation = await owner.budget.reserve(request(4));
  let standing = true;
  const other = await open(
    { install: { usd: 10 } },
    { clock: owner.clock, files: owner.files, standby: () => standing },
  );
  assert.is((await refusal(other.budget, 1)).code, "unavailable");
  await reservation.settle(dollars(3));
  standing = false;
  await other.budget.reload();
  assert.equal(
    other.records.filter(({ message }) => message.includes("cut off")),
    [],
  );
  assert.match((await refusal(other.budget, 8)).message, /\$3\.00 of it/);
  await spend(other.budget, 7);
});

test.run();
