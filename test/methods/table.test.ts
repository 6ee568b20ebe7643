import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { methods } from "../../src/methods/index.ts";
import type { Method } from "../../src/methods/method.ts";
import { scriptedApp } from "../support/app.ts";
import { checkParams, checkResult } from "../support/official.ts";

const table: readonly Method[] = methods;
const official = JSON.parse(readFileSync("node_modules/@openclaw/gateway-protocol/protocol.schema.json", "utf8")) as {
  readonly methods: Readonly<Record<string, { readonly scope: string }>>;
};

/** What right after connecting is asked by `health`, `status`, `gateway probe`, `logs`, `doctor` and the web page. */
const expected = [
  ["health", {}],
  ["health", { probe: true }],
  ["status", {}],
  ["status", { includeChannelSummary: false, includeCliProjection: true }],
  ["system-presence", {}],
  ["last-heartbeat", {}],
  ["set-heartbeats", { enabled: false }],
  ["update.status", {}],
  ["diagnostics.stability", { limit: 25 }],
  ["gateway.identity.get", {}],
  ["users.prefs.get", { keys: ["ui.theme"] }],
  ["logs.tail", { limit: 200, maxBytes: 250_000 }],
  ["models.list", { view: "default" }],
  ["models.authStatus", { agentId: "main" }],
  ["agents.list", {}],
  ["agent.identity.get", { agentId: "main" }],
  ["sessions.list", { includeGlobal: true, includeUnknown: true, limit: 200, agentId: "main" }],
  ["sessions.subscribe", {}],
  ["sessions.messages.subscribe", { key: "agent:main:main", includeApprovals: true }],
  ["sessions.messages.unsubscribe", { key: "agent:main:main" }],
  ["channels.status", { probe: false, timeoutMs: 8000 }],
  ["usage.status", {}],
  ["usage.cost", { days: 7 }],
  ["commands.list", { agentId: "main", scope: "text", includeArgs: false }],
  ["tools.catalog", { agentId: "main" }],
  ["exec.approval.list", {}],
  ["plugin.approval.list", {}],
  ["openclaw.approval.list", {}],
  ["question.list", {}],
  ["tasks.list", { sessionKey: "agent:main:main", agentId: "main", status: ["queued", "running"], limit: 200 }],
  ["cron.list", { includeDisabled: true, limit: 200, offset: 0 }],
  ["cron.status", {}],
] as const;

for (const [name, params] of expected) {
  test(`${name} ${JSON.stringify(params)} answers as the official schema has it`, async () => {
    checkParams(name, params);
    checkResult(name, await scriptedApp().call(name, params));
  });
}

test("every method is in the table once, with a sentence about it", () => {
  assert.is(new Set(table.map(({ name }) => name)).size, table.length);
  for (const { name, summary } of table) assert.match(summary, /^[A-Z].*\.$/, name);
});

test("threat F every method asks for the scope that the official schema has for it", () => {
  const known = table.filter(({ name, scope }) => typeof scope === "string" && official.methods[name]);
  const wrong = known
    .map(({ name, scope }) => `${name}: ${String(scope)}, official ${official.methods[name]?.scope}`)
    .filter((line) => !/: (\S+), official (\1|dynamic|node)$/.test(line));
  // Callable by everyone who is connected, nodes included: the reference gateway answers so too (protocol.md 4.6).
  assert.equal(wrong, ["health: none, official operator.read"]);
});

test("threat F a node may call only what is a node's", () => {
  const forNodes = table.filter(({ roles }) => roles?.includes("node")).map(({ name }) => name);
  const wrong = forNodes.filter((name) => name !== "health" && !/^(node\.|skills\.bins$)/.test(name));
  assert.equal(wrong, []);
});

test.run();
