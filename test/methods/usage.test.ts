import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { openBudget, type OpenBudget } from "../../src/budget/open-budget.ts";
import type { App } from "../../src/app.ts";
import type { Method } from "../../src/methods/method.ts";
import { sessionUsageMethods } from "../../src/methods/session-usage.ts";
import { usageMethods } from "../../src/methods/usage.ts";
import type { Usage } from "../../src/session/message.ts";
import { createMemoryLogs } from "../../src/store/memory-log.ts";
import { scriptedCaller } from "../support/app.ts";
import { type Answer, failureOf, talkingApp, type TalkingApp } from "../support/doubles.ts";
import { checkParams } from "../support/official.ts";

const hour = 3_600_000;
const day = 24 * hour;
/** Noon of the day that the scripted clock begins on, in whatever time zone the test runs. */
const noon = new Date(2026, 10, 21, 12).getTime();

interface World extends TalkingApp {
  readonly budget: OpenBudget;
  readonly ask: (name: string, params?: object) => Promise<Answer>;
  readonly spend: (usd: number, more?: { model?: string; sessionKey?: string; agentId?: string }) => Promise<void>;
}

async function world(config: object = {}): Promise<World> {
  const talking = await talkingApp({ config });
  const { host, app: bare } = talking;
  const { clock, log } = bare;
  host.clock.jump(noon - host.clock.now());
  const budget = await openBudget({ logs: createMemoryLogs(), config: talking.config, clock, log });
  const app: App = Object.create(bare, { budget: { value: budget } });
  const table: readonly Method[] = [...usageMethods, ...sessionUsageMethods];
  return {
    ...talking,
    app,
    budget,
    async ask(name, given = {}) {
      const method = table.find((each) => each.name === name);
      if (!method) throw new Error(`no method ${name}`);
      const { signal } = new AbortController();
      const params = v.parse(method.params, given);
      const call = { app, params, caller: scriptedCaller(), connection: talking.connection, signal };
      const answer = await method.run({ ...call, accept: () => assert.unreachable() });
      const sent: unknown = JSON.parse(JSON.stringify(answer));
      v.parse(method.result, sent);
      return sent;
    },
    async spend(usd, { model = "openai/gpt-5", sessionKey = "agent:main:main", agentId = "main" } = {}) {
      const [provider = "", id = ""] = model.split("/");
      const usage = usageOf(usd);
      const reservation = await budget.reserve({ agentId, sessionKey, provider, model: id, maxUsage: usage });
      await reservation.settle(usage);
    },
  };
}

function usageOf(usd: number): Usage {
  const cost = { input: usd / 4, output: usd / 4, cacheRead: usd / 4, cacheWrite: usd / 4, total: usd };
  return { input: 1, output: 2, cacheRead: 3, cacheWrite: 4, totalTokens: 10, cost };
}

test("usage.cost has every day, the empty ones too, and their sums", async () => {
  const { ask, spend, host } = await world();
  await spend(1);
  await host.clock.advance(day);
  await spend(2);
  await spend(4);
  const answer = await ask("usage.cost", { days: 3 });
  assert.equal(
    answer.daily.map(({ date, totalCost, totalTokens }: Answer) => [date, totalCost, totalTokens]),
    [
      ["2026-11-20", 0, 0],
      ["2026-11-21", 1, 10],
      ["2026-11-22", 6, 20],
    ],
  );
  assert.equal([answer.days, answer.totals.totalCost, answer.totals.cacheReadCost], [3, 7, 1.75]);
  assert.equal(answer.totals.missingCostEntries, 0);
});

test("usage.cost counts requests without a known price, but not those of a machine of one's own", async () => {
  const providers = { mine: { baseUrl: "http://127.0.0.1:9" } };
  const { ask, spend } = await world({ models: { providers } });
  await spend(0, { model: "openai/new" });
  await spend(0, { model: "openai/new" });
  await spend(0, { model: "mine/llama" });
  const { totals } = await ask("usage.cost", { days: 1 });
  assert.equal([totals.totalTokens, totals.missingCostEntries], [30, 2]);
});

test("usage.cost is told between days and by agent", async () => {
  const { ask, spend, host } = await world();
  await spend(1, { agentId: "aide" });
  await host.clock.advance(day);
  await spend(2);
  const params = { startDate: "2026-11-21", endDate: "2026-11-21" };
  assert.is((await ask("usage.cost", params)).totals.totalCost, 1);
  assert.is((await ask("usage.cost", { days: 5, agentId: "main" })).totals.totalCost, 2);
  assert.match(await failureOf(ask("usage.cost", { ...params, endDate: "2026-13-99" })), /"2026-13-99" is no day/);
});

test("sessions.usage sums by session, model, provider, agent, channel and day", async () => {
  const { ask, spend, host, app } = await world();
  await app.sessions.ensure("agent:main:main", { agentId: "main", label: "Garden", channel: "telegram" });
  await spend(1);
  await host.clock.advance(hour);
  await spend(2, { model: "mock/m1" });
  await spend(4, { sessionKey: "agent:aide:main", agentId: "aide" });
  checkParams("sessions.usage", { limit: 10, range: "7d" });
  const { sessions, totals, aggregates, startDate, endDate } = await ask("sessions.usage", { limit: 10, range: "7d" });
  assert.equal([startDate, endDate, totals.totalCost], ["2026-11-15", "2026-11-21", 7]);
  const garden = sessions.find(({ key }: Answer) => key === "agent:main:main");
  assert.equal([garden.label, garden.agentId, garden.usage.totalCost], ["Garden", "main", 3]);
  assert.equal([garden.usage.firstActivity, garden.usage.durationMs], [noon, hour]);
  assert.equal(garden.usage.activityDates, ["2026-11-21"]);
  assert.equal(
    garden.usage.modelUsage.map(({ model, count }: Answer) => [model, count]),
    [
      ["gpt-5", 1],
      ["m1", 1],
    ],
  );
  const sums = (rows: Answer, key: string) => rows.map((row: Answer) => [row[key], row.totals.totalCost]);
  assert.equal(sums(aggregates.byModel, "model"), [
    ["gpt-5", 5],
    ["m1", 2],
  ]);
  assert.equal(sums(aggregates.byProvider, "provider"), [
    ["openai", 5],
    ["mock", 2],
  ]);
  assert.equal(sums(aggregates.byAgent, "agentId"), [
    ["main", 3],
    ["aide", 4],
  ]);
  assert.equal(sums(aggregates.byChannel, "channel"), [
    ["telegram", 3],
    ["webchat", 4],
  ]);
  assert.equal([aggregates.messages.assistant, aggregates.daily[0].messages, aggregates.daily[0].cost], [3, 3, 7]);
});

test("sessions.usage of one session is told also when it cost nothing", async () => {
  const { ask } = await world();
  const { sessions, totals } = await ask("sessions.usage", { key: "main" });
  assert.equal([sessions, totals.totalTokens], [[{ key: "agent:main:main", usage: null }], 0]);
});

test("sessions.usage follows the calendar that is asked for", async () => {
  const { ask, spend, host } = await world();
  host.clock.jump(Date.UTC(2026, 10, 21, 23, 30) - host.clock.now());
  await spend(1);
  const dayIn = async (zone: object) =>
    (await ask("sessions.usage", { startDate: "2026-11-20", endDate: "2026-11-22", ...zone })).aggregates.daily[0]
      ?.date;
  assert.is(await dayIn({ mode: "utc" }), "2026-11-21");
  assert.is(await dayIn({ mode: "specific", timeZone: "Europe/Vienna" }), "2026-11-22");
  assert.is(await dayIn({ mode: "specific", utcOffset: "UTC+5:30" }), "2026-11-22");
  assert.is(await dayIn({ mode: "specific", timeZone: "America/New_York" }), "2026-11-21");
  const only = { startDate: "2026-11-22", endDate: "2026-11-22", mode: "specific", timeZone: "Europe/Vienna" };
  assert.is((await ask("sessions.usage", only)).totals.totalCost, 1);
  assert.match(await failureOf(dayIn({ mode: "specific", timeZone: "Mars/Base" })), /"Mars\/Base" is no time zone/);
});

test("sessions.usage.timeseries adds up as time goes on", async () => {
  const { ask, spend, host, app } = await world();
  await app.sessions.ensure("agent:main:main", { agentId: "main" });
  for (let turn = 0; turn < 3; turn++) {
    await spend(1);
    await host.clock.advance(hour);
  }
  const { points } = await ask("sessions.usage.timeseries", { key: "main" });
  assert.equal(
    points.map(({ timestamp, cost, cumulativeCost, cumulativeTokens }: Answer) => [
      timestamp - noon,
      cost,
      cumulativeCost,
      cumulativeTokens,
    ]),
    [
      [0, 1, 1, 10],
      [hour, 1, 2, 20],
      [2 * hour, 1, 3, 30],
    ],
  );
  assert.match(
    await failureOf(ask("sessions.usage.timeseries", { key: "ghost" })),
    /not-found: there is no session "ghost"/,
  );
});

test("sessions.usage.timeseries of a long session stays short and loses nothing", async () => {
  const { ask, spend, host, app } = await world();
  await app.sessions.ensure("agent:main:main", { agentId: "main" });
  for (let turn = 0; turn < 450; turn++) {
    await spend(1);
    await host.clock.advance(hour);
  }
  const { points } = await ask("sessions.usage.timeseries", { key: "main" });
  assert.equal([points.length, points.at(-1).cumulativeCost], [150, 450]);
});

test("sessions.usage.logs has the messages, with what each answer took", async () => {
  const { ask, exchange } = await world();
  await exchange("agent:main:main", "Hello", "Hi there");
  const { logs } = await ask("sessions.usage.logs", { key: "main", limit: 10 });
  assert.equal(
    logs.map(({ role, content, tokens }: Answer) => [role, content, tokens]),
    [
      ["user", "Hello", undefined],
      ["assistant", "Hi there", 0],
    ],
  );
});

test.run();
