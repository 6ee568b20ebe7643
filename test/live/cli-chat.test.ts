import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  freePort,
  makeHome,
  runCommand,
  startGateway,
  until,
  type GatewayProcess,
} from "../support/gateway-process.ts";
import { endLaunched, launch } from "../support/launch.ts";
import { program } from "../support/runtime.ts";

const token = "a-token-of-this-test";
// The built-in model, whatever keys the machine has that runs this.
const agents = { defaults: { model: "clawlet/echo" } };
const config = { gateway: { mode: "local", auth: { mode: "token", token } }, agents };
let gateway: GatewayProcess;

test.before(async () => {
  gateway = await startGateway({ config, args: [] });
});
test.after(async () => {
  await gateway.stop();
  endLaunched();
});

const run = (...args: readonly string[]) => runCommand(args, gateway.home);

test("agent prints the answer of the agent", async () => {
  const { status, stdout, stderr } = await run("agent", "--message", "say 3 words");
  assert.equal([status, stdout, stderr], [0, "word1 word2 word3\n", ""]);
});

test("agent --json prints the final object of the method, under the key it was sent with", async () => {
  const { status, stdout } = await run("agent", "--message", "say 2 words", "--session-key", "json", "--json");
  const { runId, status: ended, summary, result } = JSON.parse(stdout);
  assert.equal([status, ended, summary], [0, "ok", "completed"]);
  assert.match(runId, /^[0-9a-f-]{36}$/);
  assert.equal(result.payloads, [{ text: "word1 word2", mediaUrl: null }]);
  const { durationMs, agentMeta, aborted } = result.meta;
  assert.equal([typeof durationMs, agentMeta.provider, agentMeta.model, aborted], ["number", "clawlet", "echo", false]);
  assert.type(agentMeta.usage.total, "number");
});

test("agent --message - says what comes on standard input", async () => {
  const piped = ["sh", "-c", 'printf "from a pipe" | "$0" "$@"', ...program];
  const args = ["agent", "--message", "-", "--session-key", "piped"];
  const running = launch(args, gateway.home, { program: piped });
  const [status, stdout] = [await running.exited, running.stdout()];
  assert.is(status, 0);
  assert.match(stdout, "You said: from a pipe");
});

test("an unknown agent fails with its name, and nothing is said", async () => {
  const { status, stdout, stderr } = await run("agent", "--message", "hi", "--agent", "nope");
  assert.equal([status, stdout], [1, ""]);
  assert.match(stderr, 'unknown agent id "nope"');
});

test("a message that is missing is wrong usage", async () => {
  assert.is((await run("agent")).status, 2);
});

test("Ctrl-C stops the run on the gateway: exit 130, and the session says so", async () => {
  const args = ["agent", "--message", "say 2000 words", "--session-key", "long"];
  const running = launch(args, gateway.home, {});
  const row = async () => JSON.parse((await run("sessions", "--json", "--search", "long")).stdout).sessions[0];
  await until("the run", async () => (await row()) as unknown, 20_000);
  const status = await running.end("SIGINT");
  // It may have come to its end before the signal did.
  assert.ok(status === 130 || running.stdout().includes("word2000"), `${status}: ${running.stderr()}`);
});

test("sessions lists what was talked in; show, search and export tell what was said", async () => {
  const { stdout: table } = await run("sessions");
  assert.match(table, /^Key +Age +Model +Tokens +Flags\n/);
  assert.match(table, /^agent:main:main +\S+( ago)? +clawlet\/echo +[\d.k]+\/100k \(\d+%\)$/m);
  const { path, count, activeMinutes, sessions } = JSON.parse(
    (await run("sessions", "--json", "--active", "60")).stdout,
  );
  assert.equal([typeof path, count, activeMinutes], ["string", sessions.length, 60]);
  assert.ok(sessions.some((row: { key: string; ageMs: number }) => row.key === "agent:main:json" && row.ageMs >= 0));
  assert.match((await run("sessions", "show", "json")).stdout, /\nuser:\nsay 2 words\n\nassistant:\nword1 word2\n$/);
  assert.match((await run("sessions", "search", "pipe")).stdout, "agent:main:piped");
});

test("sessions export writes a private file and replaces none", async () => {
  const file = join(gateway.home, "said.jsonl");
  const { status, stdout } = await run("sessions", "export", "json", "--output", file);
  assert.equal([status, stdout], [0, "✓ Wrote 3 lines to ~/said.jsonl.\n"]);
  const lines = recordsIn(file);
  assert.equal(
    lines.map(({ type, message }) => [type, message?.role]),
    [
      ["session", undefined],
      ["message", "user"],
      ["message", "assistant"],
    ],
  );
  assert.is(statSync(file).mode & 0o777, 0o600);
  const before = readFileSync(file, "utf8");
  assert.is((await run("sessions", "export", "main", "--output", file)).status, 1);
  assert.is(readFileSync(file, "utf8"), before);
});

test("a conversation with a picture is the same again when it was exported and imported", async () => {
  const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const attachments = [{ type: "image", mimeType: "image/png", fileName: "dot.png", content: png }];
  const call = async (method: string, params: object) =>
    JSON.parse((await run("gateway", "call", method, "--params", JSON.stringify(params), "--json")).stdout);
  await call("chat.send", { sessionKey: "seen", message: "look", attachments, idempotencyKey: "look-1" });
  await until("the answer", async () => (await saidIn("seen")).length === 2, 20_000);
  const [first, second] = [join(gateway.home, "first.jsonl"), join(gateway.home, "second.jsonl")];
  assert.is((await run("sessions", "export", "seen", "--output", first)).status, 0);
  const { stdout, stderr } = await run("sessions", "import", first, "--key", "copy");
  assert.equal([stdout, stderr], ["✓ Imported 2 entries into agent:main:copy.\n", ""]);
  assert.equal(await saidIn("copy"), await saidIn("seen"));
  assert.is((await run("sessions", "export", "copy", "--output", second)).status, 0);
  const types = recordsIn(second).map(({ type }) => type);
  assert.equal(types, ["session", "media", "message", "message"]);
  assert.equal(recordsIn(second).map(withoutIds), recordsIn(first).map(withoutIds));
  const again = await run("sessions", "import", first, "--key", "copy");
  assert.equal([again.status, again.stderr.includes("there is a session agent:main:copy already")], [1, true]);

  async function saidIn(sessionKey: string): Promise<readonly object[]> {
    const { messages } = await call("chat.history", { sessionKey });
    return messages.map(({ __openclaw: _place, ...message }: { __openclaw: unknown }) => message);
  }
});

test("sessions import takes a transcript of the reference, and leaves nothing of a damaged one", async () => {
  const message = (id: string, parentId: string | null, content: unknown) =>
    JSON.stringify({ type: "message", id, parentId, timestamp: "2026-01-02T03:04:05.678Z", message: content });
  const lines = [
    '{"type":"session","version":3,"id":"5a","timestamp":"2026-01-02T03:04:05.000Z","cwd":"/home/me/clawd"}',
    message("82d9b943", null, { role: "user", content: [{ type: "text", text: "from elsewhere" }], timestamp: 1 }),
    message("93e0ca54", "82d9b943", {
      role: "assistant",
      content: [{ type: "text", text: "and back" }],
      api: "openai-completions",
      provider: "mock",
      model: "m1",
      stopReason: "stop",
      timestamp: 2,
    }),
  ];
  const file = join(gateway.home, "reference.jsonl");
  writeFileSync(file, `${lines.join("\n")}\n`);
  assert.is((await run("sessions", "import", file, "--key", "reference")).status, 0);
  const { stdout } = await run("sessions", "show", "reference");
  assert.match(stdout, /\nuser:\nfrom elsewhere\n\nassistant:\nand back\n$/);
  writeFileSync(file, `${lines.join("\n")}\n{"type":\n`);
  const { status, stderr } = await run("sessions", "import", file, "--key", "damaged");
  assert.is(status, 1);
  assert.match(stderr, "reference.jsonl: line 4 is damaged: ");
  assert.is((await run("sessions", "show", "damaged")).status, 1);
  assert.equal(readdirSync(join(gateway.home, ".openclaw", "unfinished")), []);
});

test("sessions delete wants to be asked for, and deletes", async () => {
  assert.is((await run("sessions", "delete", "json")).status, 2);
  assert.equal([(await run("sessions", "delete", "json", "--yes")).status], [0]);
  const { status, stderr } = await run("sessions", "show", "json");
  assert.equal([status, stderr.split("\n")[0]], [1, "No session found: json"]);
});

test("models lists the model that answers, status how it fares, and probe asks it", async () => {
  assert.match((await run("models")).stdout, /^clawlet\/echo +Echo +text +100k +ok +default$/m);
  assert.match((await run("models", "list", "--plain")).stdout, /^clawlet\/echo$/m);
  assert.match((await run("models", "status")).stdout, /^Default +clawlet\/echo$/m);
  const { defaultModel, resolvedDefault, auth } = JSON.parse((await run("models", "status", "--json")).stdout);
  assert.equal([defaultModel, resolvedDefault, Array.isArray(auth.providers)], ["clawlet/echo", "clawlet/echo", true]);
  const { status, stdout } = await run("models", "probe", "clawlet");
  assert.is(status, 0);
  assert.match(stdout, /^clawlet +\S+ +ok +\d+ms$/m);
});

test("models set, fallbacks and aliases change the configuration of the gateway that runs", async () => {
  const file = join(gateway.home, ".openclaw", "openclaw.json");
  const chosen = () => JSON.parse(readFileSync(file, "utf8")).agents.defaults.model;
  assert.is(chosen(), "clawlet/echo");
  assert.is((await run("models", "fallbacks", "add", "openai/gpt-5.2")).stdout, "✓ Fallbacks: openai/gpt-5.2\n");
  assert.is((await run("models", "fallbacks", "list")).stdout, "openai/gpt-5.2\n");
  assert.is((await run("models", "set", "openai/gpt-5.2")).stdout, "✓ Default model: openai/gpt-5.2\n");
  assert.equal(chosen(), {
    primary: "openai/gpt-5.2",
    fallbacks: [],
  });
  assert.is((await run("models", "set", "clawlet/echo")).status, 0);
  assert.is((await run("models", "set", "nope/x")).status, 2);
});

test("chat without a terminal points to agent; without a gateway commands say how to start one", async () => {
  const { status, stderr } = await run("chat");
  assert.is(status, 2);
  assert.match(stderr, "agent --message");
  const home = makeHome();
  const port = await freePort();
  const environment = { OPENCLAW_GATEWAY_PORT: String(port) };
  const { status: alone, stderr: hint } = await runCommand(["sessions"], home, environment);
  assert.is(alone, 1);
  assert.match(hint, `Gateway target: ws://127.0.0.1:${port}`);
  rmSync(home, { recursive: true });
});

// eslint-disable-next-line typescript/no-explicit-any -- records are read by path in assertions
function recordsIn(file: string): readonly any[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** A record without what each session has of its own. */
function withoutIds({ c: _c, id: _id, parentId: _parentId, key: _key, ...record }: Record<string, unknown>) {
  return record["type"] === "session" ? { ...record, timestamp: undefined } : record;
}

for (const [title, args, env, file] of [
  ["SC-167 --raw-stream keeps", ["--raw-stream"], {}, ".openclaw/logs/raw-stream.jsonl"],
  ["SC-168 --raw-stream-path keeps elsewhere", ["--raw-stream-path", "~/kept/raw.jsonl"], {}, "kept/raw.jsonl"],
  ["SC-167 *_RAW_STREAM=1 keeps", [], { OPENCLAW_RAW_STREAM: "1" }, ".openclaw/logs/raw-stream.jsonl"],
] as const) {
  test(`${title} what the model says as it comes, for nobody else to read`, async () => {
    const recorded = await startGateway({ config, args, env });
    try {
      const answer = await runCommand(["agent", "--message", "say 3 words"], recorded.home);
      assert.is(answer.stdout, "word1 word2 word3\n", answer.stderr);
      const path = join(recorded.home, file);
      const lines = await until("the end of the answer", () => {
        const text = existsSync(path) ? readFileSync(path, "utf8") : "";
        return text.includes("assistant_message_end") ? text.trim().split("\n") : undefined;
      });
      const events = lines.map((line) => JSON.parse(line));
      const last = events.at(-1);
      assert.equal([last.event, last.rawText, last.rawThinking], ["assistant_message_end", "word1 word2 word3", ""]);
      assert.equal(
        events.flatMap(({ evtType, delta }) => (evtType === "text_delta" ? [delta] : [])).join(""),
        "word1 word2 word3",
      );
      assert.equal([events[0].evtType, events.at(-2).evtType], ["text_start", "text_end"]);
      assert.is(new Set(events.map(({ runId }) => runId)).size, 1);
      assert.is(statSync(path).mode & 0o777, 0o600);
    } finally {
      await recorded.stop();
    }
  });
}

test.run();
