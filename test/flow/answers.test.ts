import { test } from "uvu";
import * as assert from "uvu/assert";
import type { RunInput, RunOutcome, Runner } from "../../src/agent/runner.ts";
import { createAnswers } from "../../src/flow/answers.ts";
import { openTurns, type OpenTurns } from "../../src/flow/open-turns.ts";
import { openOutbox, type OpenOutbox } from "../../src/flow/outbox.ts";
import type { TurnInput } from "../../src/flow/turns.ts";
import { flavours } from "../../src/host/flavour.ts";
import { pathsOf } from "../../src/host/paths.ts";
import { Failure } from "../../src/kit/error.ts";
import { createLogger } from "../../src/kit/log.ts";
import { createMedia } from "../../src/session/media.ts";
import { type AssistantMessage, noUsage, type StopReason, textOf } from "../../src/session/message.ts";
import { openSessions } from "../../src/session/open-sessions.ts";
import type { Sessions } from "../../src/session/sessions.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { scriptedConfig, type ScriptedConfig } from "../support/app.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { scriptedHost } from "../support/host.ts";
import { createMemoryFiles, type MemoryFiles } from "../support/memory-files.ts";
import { scriptedChannel, scriptedNetworks, type ScriptedChannel } from "../support/scripted-channel.ts";
import { modelSpec, routeTo, scriptedAccounts } from "../support/scripted-model.ts";

const key = "agent:main:main";
const workspace = "/home/me/.openclaw/workspace";

interface World {
  readonly clock: FakeClock;
  readonly files: MemoryFiles;
  readonly sessions: Sessions;
  readonly turns: OpenTurns;
  readonly outbox: OpenOutbox;
  readonly network: ScriptedChannel;
  readonly config: ScriptedConfig;
  /** How often the model was asked. */
  readonly asked: RunInput[];
  send(runId: string, more?: Partial<TurnInput> & { chat?: string }): Promise<unknown>;
  /** What people see, by chat. */
  shown(): readonly string[];
  notes(): Promise<readonly string[]>;
  settle(): Promise<void>;
  close(): Promise<void>;
}

interface WorldOptions {
  readonly clock?: FakeClock;
  readonly files?: MemoryFiles;
  readonly network?: ScriptedChannel;
  readonly config?: object;
  /** What the model says to a message; a list is said step by step, a Failure ends the run. */
  readonly model?: (asked: string) => Promise<Reply> | Reply;
}

type Reply = string | readonly string[] | Failure;

/** Turns, answers and outbox over one disk in memory. */
async function world(options: WorldOptions = {}): Promise<World> {
  const clock = options.clock ?? createFakeClock();
  const files = options.files ?? createMemoryFiles(() => clock.now());
  const network = options.network ?? scriptedChannel({ maxText: 2000 });
  const networks = scriptedNetworks([network]);
  const log = createLogger(() => clock.now(), []);
  const logs = createFolderLogs(files, "/state");
  const store = createFolderStore(files, "/state");
  const sessions = await openSessions({ logs, store, clock, log, stateFolder: "/state" });
  const host = { ...scriptedHost(), files };
  const paths = pathsOf(host, flavours.openclaw, "");
  const config = scriptedConfig({ messages: { queue: { mode: "collect" } }, ...options.config });
  const media = createMedia(store);
  const asked: RunInput[] = [];
  const outbox = await openOutbox({
    clock,
    log,
    logs,
    random: () => 0,
    media,
    account: (channel, accountId) => networks.open(channel, accountId),
    undelivered: async () => undefined,
  });
  const answers = createAnswers({ host, paths, config, sessions, media, outbox });
  const runner = scriptedRunner(sessions, asked, options.model ?? ((text) => `to ${text}`));
  const accounts = scriptedAccounts([routeTo(modelSpec())]);
  const commands = { sessions, clock, runner, accounts, config } as never;
  const turns = await openTurns({ clock, log, logs, sessions, runner, config, commands, answers });
  await turns.recover();
  outbox.start();
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 8; turn++) await clock.advance(0);
  };
  return {
    clock,
    files,
    sessions,
    turns,
    outbox,
    network,
    config,
    asked,
    settle,
    send: (runId, { chat = "ann", ...more } = {}) =>
      turns.accept({
        runId,
        sessionKey: key,
        agentId: "main",
        commands: true,
        content: [{ type: "text", text: runId }],
        origin: { channel: "scripted", sender: chat, scopes: ["operator.write"] },
        reply: { channel: "scripted", accountId: "default", target: { to: chat }, replyTo: `m-${runId}` },
        ...more,
      }),
    shown: () => network.shown.map(({ to, text }) => `${to.to}: ${text}`),
    async notes() {
      const row = sessions.get(key);
      const entries = row ? await sessions.transcript(row).page({ limit: 1000 }) : [];
      return entries.flatMap((entry) => (entry.type === "message" && entry.aside ? [textOf(entry.message)] : []));
    },
    async close() {
      await turns.close();
      await outbox.close();
      await sessions.close();
    },
  };
}

function scriptedRunner(
  sessions: Sessions,
  asked: RunInput[],
  model: (asked: string) => Promise<Reply> | Reply,
): Runner {
  return {
    compact: () => Promise.resolve({ compacted: false, tokensBefore: 0, tokensAfter: 0 }),
    async run(input) {
      asked.push(input);
      const base = { stopReason: "stop", usage: noUsage, provider: "anthropic", model: "claude-x-20260101" };
      const transcript = sessions.transcript({ sessionId: input.sessionId, agentId: input.agentId });
      const say = async (text: string, stopReason: StopReason, more: object = {}): Promise<void> => {
        const { provider, model: id } = base;
        const content = [{ type: "text" as const, text }];
        const message = { role: "assistant", content, api: "x", provider, model: id, usage: noUsage, stopReason };
        await transcript.append([
          { type: "message", runId: input.runId, message: { ...message, timestamp: 0, ...more } as AssistantMessage },
        ]);
      };
      const stopped = (): RunOutcome => ({ ...base, status: "aborted", payloads: [] });
      try {
        const since = await transcript.context();
        const last = since.findLast((entry) => entry.type === "message" && entry.message.role === "user");
        const reply = await model(last?.type === "message" ? textOf(last.message) : "");
        if (input.signal.aborted) return stopped();
        if (reply instanceof Failure) {
          await say("", "error", { errorMessage: reply.message });
          return { ...base, status: "error", payloads: [], error: reply };
        }
        const texts = [reply].flat();
        for (const [at, text] of texts.entries()) await say(text, at < texts.length - 1 ? "toolUse" : "stop");
        const payloads = texts.filter((text) => text.trim() !== "NO_REPLY").map((text) => ({ text }));
        return { ...base, status: "ok", payloads };
      } catch (error) {
        return { ...base, status: "error", payloads: [], error: Failure.from(error) };
      }
    },
  };
}

test("an answer goes to the chat that its message came from, and nowhere when it came from none", async () => {
  const w = await world();
  await w.send("a");
  await w.settle();
  await w.send("b", { reply: undefined });
  await w.settle();
  assert.equal(w.shown(), ["ann: to a"]);
  assert.is(w.network.shown[0]?.key, "run:a:0");
  assert.is(w.asked.length, 2);
  await w.close();
});

test("all that was said in a run is sent, and what is silent is not", async () => {
  const w = await world({ model: (text) => (text === "a" ? ["let me look", "NO_REPLY", "done"] : "NO_REPLY") });
  await w.send("a");
  await w.settle();
  await w.send("b");
  await w.settle();
  assert.equal(w.shown(), ["ann: let me look\n\ndone"]);
  await w.close();
});

test("the answer to a command is sent, and so is why it was not obeyed", async () => {
  const w = await world();
  await w.send("a", { content: [{ type: "text", text: "/queue" }] });
  await w.settle();
  await w.send("b", { content: [{ type: "text", text: "/compact" }] });
  await w.settle();
  assert.is(w.shown().length, 2);
  assert.match(w.shown()[0] ?? "", /^ann: Current queue settings/);
  assert.match(w.shown()[1] ?? "", /^ann: ⚠️ /);
  await w.close();
});

test("what a command says before its run is sent before the answer", async () => {
  const w = await world();
  const origin = { channel: "scripted", sender: "ann", scopes: ["operator.admin"] };
  await w.send("a", { content: [{ type: "text", text: "/new test/one hello" }], origin });
  await w.clock.advance(1000);
  await w.settle();
  assert.equal(w.shown(), ["ann: Model set to test/one.", "ann: to hello"]);
  await w.close();
});

test("a failed run is told in one sentence that says nothing of the inside", async () => {
  const secret = new Failure("unavailable", "http://10.0.0.7/v1 answered 503: sk-secret");
  const w = await world({
    model: (text) => (text === "a" ? secret : new Failure("internal", "undefined is no function")),
  });
  await w.send("a");
  await w.settle();
  await w.send("b");
  await w.settle();
  assert.equal(w.shown(), [
    "ann: ⚠️ The model does not answer just now. Please try again in a few minutes.",
    "ann: ⚠️ Something went wrong, and there is no answer. The gateway's log says what.",
  ]);
  await w.close();
});

test("what a person stopped says nothing, and neither does a note of the gateway's own", async () => {
  const w = await world({ model: () => new Promise<string>((resolve) => void w0.push(resolve)) });
  const w0 = waiting;
  await w.send("a");
  await w.settle();
  await w.turns.abort({ runId: "a" });
  for (const resolve of w0.splice(0)) resolve("too late");
  await w.settle();
  await w.turns.inject({ sessionKey: key, text: "a note" });
  await w.settle();
  assert.equal(w.shown(), []);
  await w.close();
});
const waiting: ((text: string) => void)[] = [];

test("messages of two chats in one session are answered apart, each in its own chat", async () => {
  const w = await world({
    model: (text) => (text === "a" ? new Promise((resolve) => void waiting.push(resolve)) : `to ${text}`),
  });
  await w.send("a");
  await w.settle();
  await w.send("b", { chat: "bob", origin: { channel: "scripted", sender: "ann", scopes: ["operator.write"] } });
  await w.send("c");
  await w.send("d");
  for (const resolve of waiting.splice(0)) resolve("to a");
  await w.clock.advance(1000);
  await w.settle();
  assert.equal(w.shown(), ["ann: to a", "bob: to b", "ann: to d"]);
  assert.is(w.turns.run("d")?.mergedInto, "c");
  await w.close();
});

test("a session that may not send is silent in the chat, but for commands", async () => {
  const w = await world();
  await w.send("a");
  await w.settle();
  await w.sessions.change(key, () => ({ sendPolicy: "deny" }), "settings");
  await w.send("b");
  await w.send("c", { content: [{ type: "text", text: "/queue" }] });
  await w.settle();
  assert.is(w.shown().length, 2);
  assert.match(w.shown()[1] ?? "", /^ann: Current queue settings/);
  await w.close();
});

test("tags decide what is quoted, and are not shown", async () => {
  const w = await world({ model: (text) => (text === "a" ? "[[reply_to_current]] yes" : "[[ reply_to: m-77 ]]no") });
  await w.send("a");
  await w.settle();
  await w.send("b");
  await w.settle();
  assert.equal(
    w.network.shown.map(({ message }) => [message.text, message.replyTo]),
    [
      ["yes", "m-a"],
      ["no", "m-77"],
    ],
  );
  await w.close();
});

test("a prefix is put before answers, with what is known of the model in it", async () => {
  const config = (responsePrefix: string) => ({
    messages: { responsePrefix },
    agents: { list: [{ id: "main", identity: { name: "Molty" } }] },
  });
  const w = await world({ config: config("[{model}|{modelFull}|{thinkingLevel}|{identity.name}|{other}]") });
  await w.send("a");
  await w.settle();
  w.config.become(config("auto"));
  await w.send("b");
  await w.settle();
  assert.equal(w.shown(), ["ann: [claude-x|anthropic/claude-x-20260101|off|Molty|{other}] to a", "ann: [Molty] to b"]);
  await w.close();
});

test("threats K, M, P: files of the workspace go with an answer, and nothing from outside it does", async () => {
  const files = createMemoryFiles();
  files.put(`${workspace}/out/report.pdf`, "the report");
  files.put("/home/me/.openclaw/openclaw.json", "secret");
  files.put("/etc/passwd", "secret");
  const paths = [
    "out/report.pdf",
    "../openclaw.json",
    "/etc/passwd",
    "file:///etc/passwd",
    "~/.ssh/id_rsa",
    "//host/share",
    "missing.txt",
    "out",
  ];
  const text = ["here:", ...paths.map((path) => `MEDIA: ${path}`), "MEDIA:https://example.com/a.png"].join("\n");
  const w = await world({ files, model: () => text });
  await w.send("a");
  await w.settle();
  const [shown] = w.network.shown;
  assert.equal(
    shown?.message.media?.map(({ data, ...media }) => ({ ...media, text: new TextDecoder().decode(data) })),
    [{ mimeType: "application/pdf", fileName: "report.pdf", text: "the report" }],
  );
  assert.match(shown?.text ?? "", /^here:\nhttps:\/\/example\.com\/a\.png\n/);
  assert.is(shown?.text.match(/⚠️ .* could not be sent: /g)?.length, paths.length - 1);
  assert.not.match(JSON.stringify(shown?.text), "secret");
  assert.equal(w.network.violations, []);
  await w.close();
});

test("an outbox that is full is told in the conversation, and the run is over", async () => {
  const w = await world({ model: () => "x".repeat(300_000) });
  await w.send("a");
  await w.settle();
  assert.is(w.turns.run("a")?.status, "ok");
  assert.match((await w.notes()).join("\n"), /^⚠️ This answer was not delivered: .*too long/);
  await w.close();
});

test("killed at any write between a message and its answer, it is answered once, to all of it", async () => {
  let whole = 0;
  for (let n = 1; whole < 3; n++) {
    assert.ok(n < 200, "it should have come to its end");
    const clock = createFakeClock();
    const files = createMemoryFiles(() => clock.now());
    const network = scriptedChannel({ maxText: 2000, knowsKeys: true });
    const model = (text: string): Reply => (text === "/status" ? "no" : ["let me look", `to ${text}`]);
    const first = await world({ clock, files, network, model });
    files.crashAfter(n);
    const accepted: string[] = [];
    const accept = (runId: string, more: Partial<TurnInput> = {}): Promise<unknown> =>
      first.send(runId, more).then(
        () => accepted.push(runId),
        () => undefined,
      );
    await accept("a");
    await first.settle();
    await accept("b", { content: [{ type: "text", text: "/queue" }] });
    await first.settle();
    const done = network.shown.length;
    files.recover();
    const later = createFakeClock(clock.now());
    const second = await world({ clock: later, files, network, model });
    await second.settle();
    await later.advance(60_000);
    await second.settle();
    const keys = network.shown.map((each) => each.key);
    assert.equal(keys, [...new Set(keys)]);
    assert.equal(
      network.shown.filter(({ text }) => text.startsWith("⚠️")),
      [],
      `killed at ${n}`,
    );
    for (const runId of accepted) assert.ok(keys.includes(`run:${runId}:0`), `killed at ${n}: ${runId} has no answer`);
    const [answer] = network.shown.filter((each) => each.key === "run:a:0");
    if (answer) assert.is(answer.text, "let me look\n\nto a", `killed at ${n}`);
    whole = done === 2 && second.asked.length === 0 ? whole + 1 : 0;
    await second.close();
  }
});

test.run();
