import { test } from "uvu";
import * as assert from "uvu/assert";
import { startGateway, until, type GatewayProcess } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { connectOfficial, makeDevice, type Connected } from "../support/official-client.ts";
import { checkEvent, checkParams, checkResult } from "../support/official.ts";

// The published client as a page uses it: what the web UI waits for before it lets a person write, and after an answer.

// eslint-disable-next-line typescript/no-explicit-any -- answers are read by path in assertions
type Answer = any;

interface Page extends Connected {
  readonly ask: (method: string, params?: object) => Promise<Answer>;
  /** Payloads of what was told under this name. */
  readonly told: (event: string) => readonly Answer[];
  /** Says something and waits until the answer is complete; answers the run's `chat` events. */
  readonly say: (sessionKey: string, message: string) => Promise<readonly Answer[]>;
  /** All that was told is as the published schema has it. */
  readonly leave: () => void;
}

let gateway: GatewayProcess;

test.before(async () => {
  gateway = await startGateway({
    config: { gateway: { mode: "local", auth: { mode: "none" } }, agents: { defaults: { model: "clawlet/echo" } } },
    args: [],
  });
});

let runs = 0;
const pages: Connected[] = [];

async function open(caps: readonly string[]): Promise<Page> {
  const connected = await connectOfficial({
    url: gateway.url,
    clientName: "openclaw-tui",
    mode: "ui",
    device: makeDevice(),
    scopes: ["operator.admin"],
    caps: [...caps],
  });
  const { client, events } = connected;
  pages.push(connected);
  const ask = async (method: string, params: object = {}): Promise<Answer> => {
    checkParams(method, params);
    const result = await client.request(method, params);
    checkResult(method, result);
    return result;
  };
  const told = (name: string): readonly Answer[] =>
    events.flatMap(({ event, payload }) => (event === name ? [payload as Answer] : []));
  return {
    ...connected,
    ask,
    told,
    async say(sessionKey, message) {
      const runId = `page-${++runs}`;
      await ask("chat.send", { sessionKey, message, idempotencyKey: runId });
      assert.is((await ask("agent.wait", { runId, timeoutMs: 10_000 })).status, "ok");
      await ask("health");
      return told("chat").filter((each) => each.runId === runId);
    },
    leave() {
      for (const { event, payload } of events) checkEvent(event, payload);
    },
  };
}

test("a page may write at once: a model is there, it can be asked, and the session names it", async () => {
  const { ask, client, hello, leave } = await open(["model-selection-policy", "agent-kind"]);
  const { sessionDefaults } = hello.snapshot as Answer;
  assert.is.not(sessionDefaults.modelConfigured, false);
  const { agents, defaultId } = await ask("agents.list");
  const [provider, id] = agents.find((agent: Answer) => agent.id === defaultId).model.primary.split("/");
  // The page names its session too, which the published schema does not have.
  const wanted = { view: "configured", sessionKey: "main", agentId: defaultId };
  const { models } = (await client.request("models.list", wanted)) as Answer;
  const model = models.find((each: Answer) => each.provider === provider && each.id === id);
  assert.equal([model.available, model.manualSelectionAllowed], [true, true]);
  const { sessionInfo, messages, pendingInputs } = await ask("chat.startup", { sessionKey: "main", limit: 80 });
  assert.equal([sessionInfo.modelProvider, sessionInfo.model], [provider, id]);
  assert.equal([messages, pendingInputs.items], [[], []]);
  leave();
});

test("a page is told that a run is over when it is: nothing works on", async () => {
  const { ask, say, told, leave } = await open(["tool-events"]);
  await ask("sessions.subscribe");
  const chats = await say("main", "hello");
  assert.is(chats.at(-1).state, "final");
  const changes = told("sessions.changed").filter(({ sessionKey }) => sessionKey === "agent:main:main");
  const { phase, session } = changes.at(-1);
  assert.equal([phase, session.status, session.hasActiveRun, session.activeRunIds], ["end", "done", false, []]);
  assert.type(session.endedAt, "number");
  const running = changes.find((each) => each.phase === "start");
  assert.equal([running.hasActiveRun, running.session.status], [true, "running"]);
  leave();
});

test("a page with tool-events sees what a tool was given and answered; one without sees that it ran", async () => {
  const [deep, plain] = await Promise.all([open(["tool-events"]), open([])]);
  await deep.say("main", "status");
  const phases = (page: Page, wanted: string) =>
    page.told("agent").flatMap(({ stream, data }) => (stream === wanted ? [`${data.phase} ${data.name}`] : []));
  await until("the same at the other page", () => plain.told("chat").some(({ state }) => state === "final"));
  assert.equal(phases(deep, "tool"), ["start session_status", "result session_status"]);
  assert.equal(phases(plain, "tool"), []);
  assert.equal(phases(plain, "item"), ["start session_status", "end session_status"]);
  deep.leave();
  plain.leave();
});

test("a page with session-scoped-events hears of the session that it follows, and of no other", async () => {
  const { ask, say, told, leave } = await open(["session-scoped-events"]);
  await ask("sessions.subscribe");
  await ask("sessions.messages.subscribe", { key: "followed", includeApprovals: true });
  await say("other", "not for me");
  assert.equal([told("chat"), told("agent"), told("session.message")], [[], [], []]);
  assert.ok(
    told("sessions.changed").some(({ sessionKey }) => sessionKey === "agent:main:other"),
    "lists stay whole",
  );
  const chats = await say("followed", "for me");
  assert.is(chats.at(-1).state, "final");
  const [said, answered] = told("session.message");
  assert.equal([said.message.role, answered.message.role], ["user", "assistant"]);
  assert.equal([said.sessionKey, said.session.key, said.model], ["agent:main:followed", said.sessionKey, "echo"]);
  await ask("sessions.messages.unsubscribe", { key: "followed" });
  await say("followed", "not any more");
  assert.is(told("session.message").length, 2);
  leave();
});

test.after(async () => {
  await Promise.all(pages.map((page) => page.stop()));
  await gateway.stop();
  endLaunched();
});
test.run();
