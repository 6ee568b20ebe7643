import { test } from "uvu";
import * as assert from "uvu/assert";
import { settingsOf } from "../../src/hooks/hook.ts";
import { Failure } from "../../src/kit/error.ts";
import { scriptedConfig } from "../support/app.ts";
import { type TalkingApp, talkingApp } from "../support/doubles.ts";

// Loaded when the configuration has hooks.
const { openHooks } = await import("../../src/gateway/hooks.ts");

const main = "agent:main:main";
const all = { enabled: true };

async function hooked(internal: object, files: Readonly<Record<string, string>> = {}, more: object = {}) {
  const agents = { defaults: { model: "mock/m1", userTimezone: "UTC" } };
  const app = await talkingApp({ config: { agents, hooks: { internal }, ...more } });
  const { workspace, state } = app.app.paths;
  app.host.files.putFolder(workspace);
  for (const [name, text] of Object.entries(files)) app.host.files.put(`${workspace}/${name}`, text);
  await app.automation.start();
  await app.settle();
  return { ...app, workspace, state };
}

async function say(app: TalkingApp, message: string): Promise<void> {
  await app.call("chat.send", { sessionKey: "main", message, idempotencyKey: `run-${crypto.randomUUID()}` });
  await app.settle();
}

function filesIn(app: TalkingApp, folder: string): Readonly<Record<string, string>> {
  const files = Object.entries(app.host.files.snapshot()).filter(([path]) => path.startsWith(`${folder}/`));
  return Object.fromEntries(files.map(([path, text]) => [path.slice(folder.length + 1), text]));
}

test("a hook runs when all do and it is not switched off, or when it has an entry and nobody says that all are off", () => {
  const on = (internal?: object): boolean => {
    const config = scriptedConfig(internal ? { hooks: { internal } } : {}).current().value;
    return settingsOf(config, "boot-md") !== undefined;
  };
  assert.not(on());
  assert.not(on({}));
  assert.not(on({ entries: { other: { enabled: true } } }));
  assert.not(on({ enabled: true, entries: { "boot-md": { enabled: false } } }));
  assert.not(on({ enabled: false, entries: { "boot-md": { enabled: true } } }));
  assert.ok(on({ enabled: true }));
  assert.ok(on({ entries: { "boot-md": {} } }));
});

test("session-memory: the end of a conversation is in the memory folder when a new one begins", async () => {
  const app = await hooked({ entries: { "session-memory": { messages: 3 } } });
  await app.exchange("main", "What is a monad?", "A monoid in the category of endofunctors.");
  await say(app, "/status");
  await app.exchange("main", "Thanks", "You are welcome.");
  const before = app.app.sessions.get(main)?.sessionId;
  await say(app, "/new");
  await app.running.shift()?.end("Hello.");
  await app.settle();
  assert.equal(Object.entries(filesIn(app, `${app.workspace}/memory`)), [
    [
      "2026-11-21-thanks.md",
      [
        "# Session: 2026-11-21 00:00:00 UTC",
        "",
        "- **Session Key**: agent:main:main",
        `- **Session ID**: ${before}`,
        "- **Source**: webchat",
        "",
        "## Conversation Summary",
        "",
        "assistant: A monoid in the category of endofunctors.",
        "user: Thanks",
        "assistant: You are welcome.",
        "",
      ].join("\n"),
    ],
  ]);
});

test("session-memory: neither a file that is there nor a place outside of the workspace is written over", async () => {
  const app = await hooked({ entries: { "session-memory": {} } }, { "memory/2026-11-21-hello-there.md": "mine" });
  for (let round = 0; round < 2; round++) {
    await app.exchange("main", "Hello, there!", "Hi.");
    await app.call("sessions.reset", { key: "main", reason: "reset" });
    await app.settle();
  }
  const files = filesIn(app, `${app.workspace}/memory`);
  assert.equal(Object.keys(files).toSorted(), [
    "2026-11-21-hello-there-2.md",
    "2026-11-21-hello-there-3.md",
    "2026-11-21-hello-there.md",
  ]);
  assert.is(files["2026-11-21-hello-there.md"], "mine");
});

test("session-memory: a conversation without a word, and one of another reason, is not saved", async () => {
  const app = await hooked(all);
  await say(app, "/status");
  await app.call("sessions.reset", { key: "main", reason: "new" });
  await app.exchange("main", "日本語", "はい");
  await app.app.sessions.reset(main, "cron");
  await app.settle();
  assert.equal(filesIn(app, `${app.workspace}/memory`), {});
  await app.exchange("main", "日本語", "はい");
  await app.call("sessions.reset", { key: "main", reason: "new" });
  await app.settle();
  assert.equal(Object.keys(filesIn(app, `${app.workspace}/memory`)), ["2026-11-21-0000.md"]);
});

test("command-logger: who gave which command is in a file, and what was no command is not", async () => {
  const app = await hooked({ entries: { "command-logger": {} } });
  await app.exchange("main", "hello", "hi");
  await say(app, "/whoami");
  assert.equal(filesIn(app, `${app.state}/logs`), {
    "commands.log": `${JSON.stringify({
      timestamp: "2026-11-21T00:00:00.000Z",
      action: "whoami",
      sessionKey: main,
      senderId: "cli",
      source: "webchat",
    })}\n`,
  });
});

test("command-logger: a file that has grown large is put aside once", async () => {
  const app = await hooked({ entries: { "command-logger": {} } });
  app.host.files.put(`${app.state}/logs/commands.log`, "x".repeat(5 * 1024 * 1024 + 1));
  await say(app, "/whoami");
  const files = filesIn(app, `${app.state}/logs`);
  assert.is(files["commands.log.1"]?.length, 5 * 1024 * 1024 + 1);
  assert.match(files["commands.log"] ?? "", /^\{"timestamp".*\}\n$/);
});

test("boot-md: an agent does what BOOT.md says at the start, in a session that is gone afterwards", async () => {
  const app = await hooked({ entries: { "boot-md": {} } }, { "BOOT.md": "Tell me that you are up.\n" });
  const [run] = app.running;
  assert.match(run?.input.sessionKey ?? "", /^agent:main:boot:[0-9a-f-]{36}$/);
  const key = run?.input.sessionKey ?? "";
  const history = await app.call("chat.history", { sessionKey: key });
  assert.match(history.messages[0].content[0].text, /answer NO_REPLY\.\n\nTell me that you are up\.$/);
  await app.running.shift()?.end("NO_REPLY");
  await app.settle();
  assert.is(app.app.sessions.get(key), undefined);
  assert.equal(app.planned, []);
  // What takes up a change of the configuration is no start.
  await app.automation.start();
  await app.settle();
  assert.equal(app.running, []);
});

test("boot-md: what an earlier start had begun is ended, so that each start is followed once", async () => {
  const app = await talkingApp({ config: { hooks: { internal: all } } });
  app.host.files.put(`${app.app.paths.workspace}/BOOT.md`, "Say hello.");
  const old = "agent:main:boot:00000000-0000-4000-8000-000000000000";
  await app.call("chat.send", { sessionKey: old, message: "Say hello.", idempotencyKey: "boot-1" });
  await app.settle();
  await app.automation.start();
  await app.settle();
  assert.is(app.turns.run("boot-1")?.status, "aborted");
  assert.is(app.app.sessions.get(old), undefined);
  assert.equal(
    app.running.slice(1).map(({ input }) => /^agent:main:boot:(?!0000)/.test(input.sessionKey)),
    [true],
  );
});

test("boot-md: a hook that is switched on later waits for the next start", async () => {
  const app = await hooked({ entries: { "boot-md": { enabled: false } } }, { "BOOT.md": "Say hello." });
  app.config.become({ hooks: { internal: { entries: { "boot-md": {} } } } });
  await app.automation.start();
  await app.settle();
  assert.equal(app.running, []);
});

test("SC-089 boot-md: a gateway for development does not follow BOOT.md", async () => {
  const app = await talkingApp({ config: { hooks: { internal: all } } });
  const { workspace } = app.app.paths;
  app.host.files.put(`${workspace}/BOOT.md`, "Say hello.");
  const { host, log, sessions } = app.app;
  const paths = { ...app.app.paths, profile: "dev" };
  const options = { host, log, sessions, config: app.config, turns: app.turns, files: app.host.files };
  const hooks = openHooks({ ...options, paths, stopped: () => undefined });
  hooks.startup();
  await app.settle();
  assert.equal(app.running, []);
  await hooks.close();
});

test("boot-md: without a BOOT.md, and with an empty one, nobody is asked", async () => {
  for (const files of [{}, { "BOOT.md": " \n" }] as Record<string, string>[]) {
    const app = await hooked(all, files);
    assert.equal(app.running, []);
  }
});

test("boot-md: agents with workspaces of their own are asked one after the other, and one that fails holds up nobody", async () => {
  const list = [{ id: "main" }, { id: "ops" }, { id: "twin", workspace: "/home/me/.openclaw/workspace-ops" }];
  const app = await talkingApp({ config: { agents: { list }, hooks: { internal: all } } });
  const { workspace } = app.app.paths;
  for (const folder of [workspace, `${workspace}-ops`]) app.host.files.put(`${folder}/BOOT.md`, "Look around.");
  await app.automation.start();
  await app.settle();
  assert.equal(
    app.running.map(({ input }) => input.agentId),
    ["main"],
  );
  app.running.shift()?.fail(new Failure("failed", "the model is away"));
  await app.settle();
  assert.equal(
    app.running.map(({ input }) => input.agentId),
    ["ops"],
  );
  await app.running.shift()?.end("NO_REPLY");
  await app.settle();
  assert.equal(app.running, []);
});

test.run();
