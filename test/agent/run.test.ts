import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { toMessages } from "../../src/agent/context.ts";
import type { RunEvent } from "../../src/agent/runner.ts";
import { Failure } from "../../src/kit/error.ts";
import { inOrder } from "../../src/providers/provider-request.ts";
import type { ModelRequest } from "../../src/providers/provider.ts";
import { textOf, type Message } from "../../src/session/message.ts";
import { tools } from "../../src/tools/index.ts";
import { tool, type Tool } from "../../src/tools/tool.ts";
import { settle } from "../support/fake-clock.ts";
import { scriptedHost } from "../support/host.ts";
import {
  modelSpec,
  routeTo,
  scriptedRunner,
  sessionKey,
  type Reply,
  type ScriptedRunner,
} from "../support/scripted-model.ts";

test("an answer is streamed, written, and told in that order", async () => {
  const { say, run, events, messages, sessions } = await scriptedRunner([{ text: ["Hel", "lo"] }]);
  await say("hi");
  const outcome = await run();
  assert.is(outcome.status, "ok");
  assert.equal(outcome.payloads, [{ text: "Hello" }]);
  assert.equal(
    events.map((event) => ("phase" in event ? event.phase : event.type)),
    ["preparing_workspace", "preparing_context", "starting_model", "model", "text", "text", "entry", "usage"],
  );
  assert.equal((await messages()).map(textOf), ["hi", "Hello"]);
  const row = sessions.get(sessionKey);
  assert.equal([row?.model, row?.totalTokens, row?.contextTokens], ["one", 15, 200_000]);
});

test("the request has the prompt, the tools, the conversation and the session's name for the cache", async () => {
  const { say, run, model, sessions } = await scriptedRunner([{ text: "Hello" }], { tools });
  await say("hi");
  const outcome = await run({ thinking: "high", extraSystemPrompt: "Speak Latin." });
  const [request] = model.requests;
  assert.match(request?.system ?? "", /Speak Latin\./);
  const names = ["edit", "memory_get", "memory_search", "read", "session_status", "write"];
  assert.equal(request?.tools.map(({ name }) => name).sort(), names);
  assert.is(request?.thinking, "high");
  assert.is(request?.cacheKey, sessions.get(sessionKey)?.sessionId);
  assert.ok(outcome.promptReport?.["systemPrompt"]);
});

test("a level that the model does not have becomes the nearest below", async () => {
  const { say, run, model } = await scriptedRunner([{ text: "a" }, { text: "b" }]);
  await say("hi");
  await run({ thinking: "medium" });
  await say("hi");
  await run({ thinking: "xhigh" });
  assert.equal(
    model.requests.map(({ thinking }) => thinking),
    ["low", "high"],
  );
});

test("a new agent finds its workspace made", async () => {
  const { say, run, host } = await scriptedRunner([{ text: "Hello" }], { config: {} });
  await say("hi");
  await run();
  assert.ok(host.files.snapshot()["/home/me/.openclaw/workspace/AGENTS.md"]);
});

test("a workspace that cannot be made does not keep the answer back", async () => {
  const { say, run, host, records } = await scriptedRunner([{ text: "Hello" }], { config: {} });
  await say("hi");
  host.files.before = (_, path) => {
    if (path.includes("workspace")) throw new Error("EROFS: read-only file system");
  };
  assert.is((await run()).status, "ok");
  assert.ok(records.some(({ message }) => message === "the workspace could not be prepared"));
});

test("an agent or a session that is gone is a failure that says so", async () => {
  const { say, run, sessions } = await scriptedRunner([]);
  await say("hi");
  assert.is((await run({ agentId: "nope" })).error?.message, 'Agent "nope" no longer exists in configuration');
  await sessions.reset(sessionKey, "test");
  const outcome = await run();
  assert.is(outcome.error?.code, "not-found");
});

test("a failure is in the transcript with its reason", async () => {
  const { say, run, messages } = await scriptedRunner([{ fails: "refusal" }]);
  await say("hi");
  const outcome = await run();
  assert.is(outcome.status, "error");
  const last = (await messages()).at(-1);
  assert.ok(last?.role === "assistant");
  assert.equal([last.stopReason, last.errorMessage, last.model], ["error", "test says refusal", "one"]);
});

test("somebody who watches and throws does not end the run", async () => {
  const { say, run, records } = await scriptedRunner([{ text: "Hello" }]);
  await say("hi");
  const emit = () => {
    throw new Error("a closed socket");
  };
  assert.is((await run({ emit })).status, "ok");
  assert.ok(records.some(({ level }) => level === "error"));
});

test("session_status tells the model about its session", async () => {
  const { say, run, messages } = await scriptedRunner([{ calls: [{ name: "session_status" }] }, { text: "ok" }], {
    tools,
  });
  await say("how are you?");
  await run();
  const card = (await messages())[2];
  assert.match(card ? textOf(card) : "", /Model: test\/one · 🔑 test:default[^]*Context: .*\/200k[^]*Queue: /);
});

test("a picture in a new message is said when the model is chosen, an old one is not", async () => {
  const { run, write, say, accounts } = await scriptedRunner([{ text: "a cat" }, { text: "yes" }]);
  await write({ role: "user", content: [{ type: "image", mimeType: "image/png", media: "x" }], timestamp: 1 });
  await run();
  await say("sure?");
  await run();
  assert.equal(
    accounts.inputs.map(({ images }) => images),
    [true, false],
  );
});

test("a person's stop keeps what was said so far", async () => {
  const { outcome, runner } = await stopped(new Failure("aborted", "stopped by a person"));
  assert.is(outcome.status, "aborted");
  const last = (await runner.messages()).at(-1);
  assert.ok(last?.role === "assistant");
  assert.equal([textOf(last), last.stopReason], ["so far", "aborted"]);
  assert.equal(outcome.message, last);
  assert.is(runner.model.open, 0);
});

test("a deadline is told apart from a stop", async () => {
  const { outcome } = await stopped(new Failure("timeout", "the run took longer than 600 s and was ended"));
  assert.is(outcome.status, "timeout");
  assert.match(outcome.error?.message ?? "", /longer than 600 s/);
});

test("the end of the gateway writes nothing, so that the run begins again after it", async () => {
  const { outcome, runner } = await stopped(new Failure("unavailable", "the gateway is stopping"));
  assert.is(outcome.status, "aborted");
  assert.equal(
    (await runner.messages()).map(({ role }) => role),
    ["user"],
  );
});

test("at the end of the gateway what tools did is written, and the next process goes on from it", async () => {
  const stop = new AbortController();
  const ending = tool({
    name: "look",
    effect: "read",
    description: "Looks.",
    summary: "look",
    params: v.object({}),
    async run() {
      stop.abort(new Failure("unavailable", "the gateway is stopping"));
      return { content: [{ type: "text", text: "seen" }] };
    },
  });
  const calls = [{ name: "look" }];
  const runner = await scriptedRunner([{ calls }, { text: "ok" }], { tools: [ending] });
  await runner.say("hi");
  await runner.run({ signal: stop.signal });
  assert.equal(
    (await runner.messages()).map(({ role }) => role),
    ["user", "assistant", "toolResult"],
  );
  assert.equal((await runner.run()).payloads, [{ text: "ok" }]);
});

test("a provider that does not heed the signal does not hold up the end", async () => {
  const { outcome } = await stopped(new Failure("aborted", "stopped"), { text: "so far", deaf: true });
  assert.is(outcome.status, "aborted");
});

test("whenever a run is stopped, the conversation stays well-formed, and nothing is left running", async () => {
  const count = (await stoppedAt(Number.POSITIVE_INFINITY)).events.length;
  assert.ok(count > 20, String(count));
  for (let at = 1; at <= count; at++) {
    const runner = await stoppedAt(at);
    const entries = await runner.entries();
    const messages = await runner.messages();
    assertPaired(messages, `stopped at event ${at}`);
    assert.equal(inOrder(toMessages(entries)), toMessages(entries));
    const last = messages.at(-1);
    assert.ok(last?.role === "assistant" && last.stopReason !== "toolUse", `stopped at event ${at}`);
    assert.is(runner.model.open, 0);
    await runner.host.clock.advance(1000);
    assert.is(runner.host.clock.armed, 0, `stopped at event ${at}`);
    await runner.say("again");
    assert.is((await runner.run()).status, "ok");
  }
});

test("wherever the process is killed, the next one goes on and answers", async () => {
  const steps = (await killedAfter(Number.POSITIVE_INFINITY)).operations;
  assert.ok(steps > 4, String(steps));
  for (let at = 1; at <= steps; at++) {
    const { runner } = await killedAfter(at);
    const messages = await runner.messages();
    const answers = messages.filter((message) => textOf(message) === "all done");
    assert.is(answers.length, 1, `killed at operation ${at}: ${messages.map(({ role }) => role).join(" ")}`);
    assert.is(messages.filter(({ role }) => role === "user").length, 1);
  }
});

/** A run that a person or the gateway stops in the middle of an answer. */
async function stopped(reason: Failure, reply: Reply = { text: "so far", hangs: true }) {
  const runner = await scriptedRunner([reply]);
  await runner.say("hi");
  const stop = new AbortController();
  const running = runner.run({ signal: stop.signal });
  for (let turn = 0; turn < 50 && !runner.events.some(({ type }) => type === "text"); turn++) await settle();
  stop.abort(reason);
  const outcome = await running;
  await settle();
  return { outcome, runner };
}

/** A run with rounds of tools that is stopped when it emits its n-th event. */
async function stoppedAt(at: number): Promise<ScriptedRunner> {
  const runner = await scriptedRunner(working, { tools: [look, put], routes: [routeTo(modelSpec())] });
  await runner.say("work");
  const stop = new AbortController();
  let count = 0;
  const emit = (event: RunEvent): void => {
    runner.events.push(event);
    if (++count === at) stop.abort(new Failure("aborted", "stopped"));
  };
  const outcome = await runner.run({ signal: stop.signal, emit });
  assert.ok(outcome.status === "aborted" || (outcome.status === "ok" && at >= count - 1), `${outcome.status} at ${at}`);
  await settle();
  return runner;
}

/** A run whose disk fails at its n-th write, and the run of the next process on the same disk. */
async function killedAfter(at: number) {
  const host = scriptedHost();
  const first = await scriptedRunner(working, { host, tools: [look, put] });
  await first.say("work");
  const before = host.files.operations;
  host.files.crashAfter(at);
  const outcome = await first.run();
  const operations = host.files.operations - before;
  if (at === Number.POSITIVE_INFINITY) return { runner: first, operations };
  host.files.recover();
  const runner = await scriptedRunner(working, { host: scriptedHost({ disk: host.files }), tools: [look, put] });
  if (outcome.status !== "ok") assert.is((await runner.run()).status, "ok");
  return { runner, operations };
}

/** Three rounds of tools and an answer, by what the conversation ends with. */
function working({ messages }: ModelRequest): Reply {
  const rounds = messages.filter(({ role }) => role === "assistant").length;
  const call = (name: string, at: number) => ({ name, id: `call_${rounds}_${at}`, arguments: { at: String(rounds) } });
  if (messages.at(-1)?.role === "user" && textOf(messages.at(-1) ?? missing) === "again") return { text: "here" };
  if (rounds === 0) return { thinking: "hm", text: "first", calls: [call("look", 0), call("look", 1)] };
  if (rounds === 1) return { calls: [call("put", 0), call("look", 1), call("put", 2)] };
  return { text: ["all ", "done"] };
}

const missing: Message = { role: "user", content: [], timestamp: 0 };
const look = declared("look", "read");
const put = declared("put", "write");

function declared(name: string, effect: Tool["effect"]): Tool {
  return tool({
    name,
    effect,
    description: `Does ${name}.`,
    summary: name,
    params: v.object({ at: v.string() }),
    async run({ at }, context) {
      context.progress({ content: [{ type: "text", text: "half" }] });
      await Promise.resolve();
      return { content: [{ type: "text", text: `${name} ${at}` }] };
    },
  });
}

/** Every answer's calls are followed by their results, and by nothing else. */
function assertPaired(messages: readonly Message[], where: string): void {
  const open: string[] = [];
  for (const message of messages) {
    if (message.role === "toolResult") {
      assert.is(message.toolCallId, open.shift(), where);
      continue;
    }
    assert.equal(open, [], where);
    if (message.role === "assistant")
      open.push(...message.content.flatMap((part) => (part.type === "toolCall" ? [part.id] : [])));
  }
  assert.equal(open, [], where);
}

test.run();
