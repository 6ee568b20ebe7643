import { test } from "uvu";
import * as assert from "uvu/assert";
import { publicRow, type RowExtra } from "../../src/session/public-row.ts";
import type { SessionRow } from "../../src/session/sessions.ts";

const row: SessionRow = {
  key: "agent:main:main",
  agentId: "main",
  sessionId: "s-1",
  createdAt: 1,
  updatedAt: 2,
  startedAt: 1,
  kind: "direct",
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  compactionCount: 0,
  systemSent: true,
  abortedLastRun: false,
};
const extra: RowExtra = {
  now: 10,
  mainKey: "agent:main:main",
  modelProvider: "mock",
  model: "m1",
  contextTokens: null,
  thinkingLevels: ["off"],
  thinkingDefault: "off",
  queueMode: "collect",
  runIds: [],
  running: false,
};
const show = (more: Partial<SessionRow> = {}, other: Partial<RowExtra> = {}) =>
  publicRow(more.key ?? row.key, { ...row, ...more }, { ...extra, ...other });

const classes: readonly (readonly [key: string, classification: string, isBackground: boolean])[] = [
  ["agent:main:main", "main", false],
  ["agent:main:lab", "direct", false],
  ["agent:main:telegram:group:1", "group", false],
  ["agent:main:cron:1", "cron", true],
  ["hook:1", "hook", true],
  ["agent:main:subagent:1", "subagent", true],
  ["agent:main:openresponses:1", "custom", false],
];
for (const [key, classification, isBackground] of classes) {
  test(`${key} is a session of the class ${classification}`, () => {
    const shown = show({ key });
    assert.equal([shown.classification, shown.isBackground], [classification, isBackground]);
    assert.is(shown.isMain, key === row.key);
  });
}

test("a run that goes on hides the end of the one before it", () => {
  const times = { runStartedAt: 5, runEndedAt: 8, status: "done" as const };
  const over = show(times);
  assert.equal([over.status, over.endedAt, over.runtimeMs, over.hasActiveRun], ["done", 8, 3, false]);
  const running = show(times, { runIds: ["a", "b"], running: true });
  assert.equal([running.status, running.endedAt, running.runtimeMs], ["running", undefined, undefined]);
  assert.equal([running.hasActiveRun, running.activeRunIds], [true, ["a", "b"]]);
  assert.is(show(times, { runIds: ["b"] }).status, "queued");
  assert.is(show({ ...times, runStartedAt: 9 }).endedAt, undefined);
});

test("a session is unread from an answer on until somebody reads it, and when somebody says so", () => {
  assert.is(show().unread, false);
  assert.is(show({ runEndedAt: 5 }).unread, true);
  assert.is(show({ runEndedAt: 5, lastReadAt: 6 }).unread, false);
  assert.is(show({ lastReadAt: 6, markedUnreadAt: 7 }).unread, true);
});

test("the name is the one that was given, else the label, else the first words", () => {
  assert.is(show({ displayName: "N", label: "L", derivedTitle: "T" }).displayName, "N");
  assert.is(show({ label: "L", derivedTitle: "T" }).displayName, "L");
  assert.is(show({ derivedTitle: "T" }).displayName, "T");
});

test("threat G only what is named is shown, and nothing of what is unknown is sent", () => {
  const more = { authProfileOverride: "SECRET", delivery: { channel: "telegram", to: "SECRET" } };
  const sent = JSON.stringify(show(more));
  assert.not.match(sent, "SECRET");
  assert.not.match(sent, "contextTokens");
});

test.run();
