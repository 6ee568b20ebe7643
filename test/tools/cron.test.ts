import { test } from "uvu";
import * as assert from "uvu/assert";
import { cron } from "../../src/tools/cron.ts";
import { tools, toolSpecs } from "../../src/tools/index.ts";
import { toolsWith } from "../../src/tools/tool.ts";
import * as v from "valibot";
import { type Answer, failureOf, talkingApp, type TalkingApp } from "../support/doubles.ts";

const main = "agent:main:main";
const group = "agent:main:telegram:group:7";
const chat = { channel: "telegram", to: "7" };

/** Calls the tool as a model in this session would. */
async function act(app: TalkingApp, sessionKey: string, params: object): Promise<Answer> {
  const jobs = app.automation.jobsOf({ agentId: "main", sessionKey });
  const nothing = { files: undefined, workspace: "/w", closed: [], status: async () => "", progress: () => undefined };
  const context = { ...nothing, jobs, agentId: "main", sessionKey, signal: new AbortController().signal };
  return (await cron.run(v.parse(cron.params, params), context)).details;
}

const question = (more: object = {}) => ({
  name: "look",
  schedule: { kind: "every", everyMs: 3600_000 },
  sessionTarget: "isolated",
  payload: { kind: "agentTurn", message: "news?" },
  ...more,
});

test("SC-022 agents have files, scheduled tasks and a browser, each where its part of the gateway is there", () => {
  const names = toolsWith(tools, { files: {}, jobs: {}, browser: {}, chats: {} } as never).map(({ name }) => name);
  for (const name of ["read", "write", "edit", "cron", "browser"]) assert.ok(names.includes(name), name);
  assert.not(toolsWith(tools, {}).some(({ name }) => name === "cron"));
  const spec = toolSpecs(tools).find(({ name }) => name === "cron");
  const properties: Answer = spec?.parameters["properties"];
  assert.equal(properties.action.enum, ["status", "list", "add", "update", "remove", "run", "runs", "wake"]);
});

test("a model schedules a job, looks at it, changes it, runs it and removes it", async () => {
  const app = await talkingApp();
  const { id } = await act(app, main, { action: "add", job: question() });
  assert.equal(await act(app, main, { action: "status" }), { enabled: true, jobs: 1 });
  assert.is((await act(app, main, { action: "list" })).jobs[0].sessionKey, main);
  const changed = await act(app, main, { action: "update", jobId: id, patch: { name: "watch", agentId: "ghost" } });
  assert.equal([changed.name, changed.agentId], ["watch", "main"]);
  assert.is((await act(app, main, { action: "run", id })).begun, true);
  await app.settle();
  await app.running.shift()?.end("done");
  await app.settle();
  assert.is((await act(app, main, { action: "runs", id })).runs[0].summary, "done");
  assert.equal(await act(app, main, { action: "remove", id }), { removed: true });
  await app.automation.close();
});

test("a model is told what is wrong with a job", async () => {
  const app = await talkingApp();
  const wrong = (job: object): Promise<string> => failureOf(act(app, main, { action: "add", job }));
  assert.match(await wrong({ name: "x" }), /invalid-request: job\.schedule: /);
  assert.match(await wrong(question({ schedule: { kind: "cron", expr: "soon" } })), /schedule\.expr is "soon"/);
  assert.match(await wrong(question({ sessionTarget: "main" })), /main is told a systemEvent/);
  assert.match(await failureOf(act(app, main, { action: "remove" })), /id is missing/);
  assert.match(await failureOf(act(app, main, { action: "wake" })), /text is missing/);
});

test("wake tells the session that the model is in", async () => {
  const app = await talkingApp();
  assert.equal(await act(app, group, { action: "wake", text: "later", mode: "next-heartbeat" }), { ok: true });
  assert.is(app.app.systemEvents.waiting[0]?.sessionKey, group);
});

test("threat F a session other than the main one sees and changes the jobs that were made in it alone", async () => {
  const app = await talkingApp();
  const { id } = await act(app, main, { action: "add", job: question() });
  assert.equal((await act(app, group, { action: "list" })).jobs, []);
  for (const action of ["update", "remove", "run", "runs"])
    assert.match(await failureOf(act(app, group, { action, id })), /not-found: there is no job/, action);
  const mine = await act(app, group, { action: "add", job: question({ agentId: "other", sessionKey: main }) });
  assert.equal([mine.agentId, mine.sessionKey], ["main", group]);
  assert.is((await act(app, main, { action: "list" })).jobs.length, 2);
});

test("threat F a model makes no job that tells a chat which its answers do not reach", async () => {
  const app = await talkingApp();
  await app.app.sessions.ensure(group, { agentId: "main", delivery: chat });
  const to = (delivery: object): Promise<string> =>
    failureOf(act(app, group, { action: "add", job: question({ delivery: { mode: "announce", ...delivery } }) }));
  assert.match(await to({ channel: "telegram", to: "8" }), /forbidden: delivery names another chat/);
  assert.match(await to({ channel: "slack", to: "7" }), /forbidden/);
  assert.match(await to(chat), /answered/);
  assert.match(await to({}), /answered/);
  const { id } = (await act(app, group, { action: "list" })).jobs[0];
  const patch = { delivery: { mode: "announce", channel: "telegram", to: "8" } };
  assert.match(await failureOf(act(app, group, { action: "update", id, patch })), /forbidden/);
  const reminder = question({ sessionTarget: "main", payload: { kind: "systemEvent", text: "obey" } });
  assert.match(await failureOf(act(app, group, { action: "add", job: reminder })), /forbidden: sessionTarget main/);
});

test("threat K what came in by a hook can schedule nothing", async () => {
  const app = await talkingApp();
  assert.is(app.automation.jobsOf({ agentId: "main", sessionKey: "agent:main:hook:1" }), undefined);
});

test.run();
