import { test } from "uvu";
import * as assert from "uvu/assert";
import { firstKept } from "../../src/agent/compact.ts";
import { pieces, plainSummary, summaryPrompt } from "../../src/agent/summary.ts";
import { contextTokens, textTokens } from "../../src/agent/tokens.ts";
import { Failure } from "../../src/kit/error.ts";
import type { ModelRequest } from "../../src/providers/provider.ts";
import { noUsage, textOf, type Message } from "../../src/session/message.ts";
import type { Entry } from "../../src/session/transcript.ts";
import { settle } from "../support/fake-clock.ts";
import { modelSpec, routeTo, scriptedBudget, scriptedRunner, type Reply } from "../support/scripted-model.ts";

const small = [routeTo(modelSpec({ contextWindow: 8192, maxTokens: 4096 }))];

test("a conversation that has become too long is summed up before the model is asked", async () => {
  const { run, write, entries, model, events, sessions } = await scriptedRunner(summing({ text: "the answer" }), {
    routes: small,
  });
  await write(...talk(20, 1200), user("and now?"));
  const outcome = await run();
  assert.is(outcome.status, "ok");
  const [first, second] = [model.requests[0], model.requests.at(-1)];
  assert.is(first?.system, summaryPrompt);
  assert.match(textOf(first?.messages[0] ?? missing), /<record>\nPerson: question 0/);
  assert.match(textOf(second?.messages[0] ?? missing), /summed up[^]*SUMMARY/);
  assert.is(textOf(second?.messages.at(-1) ?? missing), "and now?");
  assert.ok(size(second) < 8192 - 2048, String(size(second)));
  const compactions = (await entries()).filter(({ type }) => type === "compaction");
  assert.is(compactions.length, 1);
  assert.equal(phases(events), ["start", "end"]);
  assert.is(sessions.get("agent:main:main")?.compactionCount, 1);
  assert.is((await entries()).filter(({ type }) => type === "message").length, 42);
  assert.is(outcome.usage.totalTokens, 15 * model.requests.length);
});

test("what was counted last decides, not only what is guessed", async () => {
  const { run, say, model } = await scriptedRunner(
    (request, index) =>
      request.system === summaryPrompt
        ? { text: "SUMMARY" }
        : { text: "x".repeat(5000), tokens: index === 0 ? 7000 : 10 },
    { routes: small },
  );
  await say("y".repeat(5000));
  await run();
  await say("two");
  await run();
  assert.equal(
    model.requests.map(({ system }) => system === summaryPrompt),
    [false, true, false],
  );
});

test("the next compaction takes the earlier summary over", async () => {
  const { run, write, model } = await scriptedRunner(summing({ text: "ok" }), { routes: small });
  await write(...talk(20, 1200), user("one"));
  await run();
  await write(...talk(20, 1200), user("two"));
  await run();
  const second = model.requests.filter(({ system }) => system === summaryPrompt)[1];
  assert.match(textOf(second?.messages[0] ?? missing), /<earlier-notes>\nSUMMARY\n<\/earlier-notes>/);
  const last = model.requests.at(-1)?.messages ?? [];
  assert.is(last.filter((message) => textOf(message).includes("was summed up")).length, 1);
});

test("a model that cannot sum up never ends a run: the summary is made without one", async () => {
  const { run, write, entries } = await scriptedRunner(
    (request) => (request.system === summaryPrompt ? { fails: "format" } : { text: "ok" }),
    { routes: small },
  );
  await write(...talk(20, 1200), user("and now?"));
  assert.is((await run()).status, "ok");
  const compaction = (await entries()).find(({ type }) => type === "compaction");
  assert.ok(compaction?.type === "compaction");
  assert.match(compaction.summary, /Made without a model[^]*question 1/);
  assert.ok(compaction.summary.length <= 4096, String(compaction.summary.length));
});

test("a budget that has nothing left for a summary does not end the run by itself", async () => {
  let asked = 0;
  const budget = scriptedBudget(() => {
    if (++asked === 1) throw new Failure("rate-limited", "nothing left");
    return undefined;
  });
  const { run, write } = await scriptedRunner(summing({ text: "ok" }), { routes: small, budget });
  await write(...talk(20, 1200), user("and now?"));
  assert.is((await run()).status, "ok");
});

test("a model that says the conversation is too long is asked again with a summary", async () => {
  const { run, write, events } = await scriptedRunner((request, index) => {
    if (request.system === summaryPrompt) return { text: "SUMMARY" };
    return index === 0 ? { fails: "context_length" } : { text: "ok" };
  });
  await write(...talk(100, 2000), user("and now?"));
  assert.is((await run()).status, "ok");
  assert.equal(
    events.flatMap((event) => (event.type === "compaction" ? [event.willRetry] : [])),
    [true, true],
  );
});

test("what stays too long after a summary is cut to half, twice", async () => {
  const { run, write, model, events } = await scriptedRunner(
    (request) => (request.system === summaryPrompt ? { text: "SUMMARY" } : { fails: "context_length" }),
    { routes: small },
  );
  await write(...talk(20, 1200), user("and now?"));
  const outcome = await run();
  assert.is(outcome.status, "error");
  assert.match(outcome.error?.message ?? "", /context_length/);
  assert.equal(phases(events), ["start", "end"]);
  const sizes = model.requests.filter(({ system }) => system !== summaryPrompt).map(size);
  assert.is(sizes.length, 3);
  assert.ok((sizes[0] ?? 0) > (sizes[1] ?? 0) && (sizes[1] ?? 0) > (sizes[2] ?? 0));
});

test("compactions of a run are limited; then the oldest is left out of its requests", async () => {
  const defaults = { skipBootstrap: true, compaction: { maxAttempts: 2 } };
  const { run, write, model, events } = await scriptedRunner(
    (request, index) => {
      if (request.system === summaryPrompt) return { text: "SUMMARY" };
      const tokens = size(request) + 1500;
      return index < 30 ? { text: "t".repeat(6000), calls: [{ name: `step ${index}` }], tokens } : { text: "ok" };
    },
    { config: { agents: { defaults } }, routes: small },
  );
  await write(user("go"));
  assert.is((await run()).status, "ok");
  assert.equal(phases(events), ["start", "end", "start", "end"]);
  assert.ok(model.requests.every((request) => size(request) < 8192 - 1024));
});

test("one long result fits a small window: it is cut in the request alone", async () => {
  const { run, write, model, messages } = await scriptedRunner(summing({ text: "ok" }), { routes: small });
  await write(user("read it"), called("a"), result("a", 90_000));
  assert.is((await run()).status, "ok");
  assert.ok(size(model.requests.at(-1)) < 8192);
  assert.is(textOf((await messages())[2] ?? missing).length, 90_000);
});

test("mode safeguard sums up in smaller pieces, each with the notes so far", async () => {
  const requestsOf = async (mode: string) => {
    const config = { agents: { defaults: { skipBootstrap: true, compaction: { mode } } } };
    const { run, write, model } = await scriptedRunner(summing({ text: "ok" }), { config, routes: small });
    await write(...talk(20, 1200), user("and now?"));
    await run();
    return model.requests.filter(({ system }) => system === summaryPrompt);
  };
  const [whole, chunked] = [await requestsOf("default"), await requestsOf("safeguard")];
  assert.ok(chunked.length > whole.length, `${whole.length} ${chunked.length}`);
  assert.ok(chunked.length <= 8);
  assert.match(textOf(chunked[1]?.messages[0] ?? missing), /<earlier-notes>\nSUMMARY/);
});

test("a person's wish goes into the request for a summary", async () => {
  const { runner, sessions, write, model, entries } = await scriptedRunner(summing({ text: "ok" }));
  await write(...talk(4, 400));
  const row = sessions.get("agent:main:main");
  assert.ok(row);
  const { signal } = new AbortController();
  const outcome = await runner.compact({ row, instructions: "keep the names", signal });
  assert.ok(outcome.compacted && outcome.tokensAfter < outcome.tokensBefore);
  assert.match(textOf(model.requests[0]?.messages[0] ?? missing), /The person asks of these notes: keep the names/);
  assert.is((await entries()).at(-1)?.type, "compaction");
  assert.is(sessions.get("agent:main:main")?.totalTokens, outcome.tokensAfter);
});

test("there is nothing to sum up in a session that has hardly begun", async () => {
  const { runner, sessions, write } = await scriptedRunner([]);
  const row = sessions.get("agent:main:main");
  assert.ok(row);
  const { signal } = new AbortController();
  assert.is((await runner.compact({ row, signal })).compacted, false);
  await write(user("hi"));
  assert.is((await runner.compact({ row, signal })).reason, "nothing to sum up yet");
});

test("a compaction that a person stops changes nothing", async () => {
  const { runner, sessions, write, entries } = await scriptedRunner([{ text: "so", hangs: true }]);
  await write(...talk(4, 400));
  const row = sessions.get("agent:main:main");
  assert.ok(row);
  const stop = new AbortController();
  const compacting = runner.compact({ row, signal: stop.signal });
  await settle();
  stop.abort(new Failure("aborted", "stopped by a person"));
  await compacting.then(
    () => assert.unreachable("it must not go on"),
    (error: unknown) => assert.is(Failure.from(error).code, "aborted"),
  );
  assert.not((await entries()).some(({ type }) => type === "compaction"));
});

test("the cut never parts a call from its results, and keeps what was said last", () => {
  const messages = [user("a"), called("1"), result("1", 400), called("2"), result("2", 400), user("b")];
  const entries = path(messages);
  for (let keep = 0; keep < 600; keep += 20) {
    const first = firstKept(entries, keep);
    if (first === undefined) continue;
    assert.not(messages[first]?.role === "toolResult", String(keep));
    assert.ok(first > 0);
  }
  assert.is(firstKept(entries, 0), 5);
  assert.is(firstKept(entries, 1000), undefined);
  assert.is(firstKept(path([user("only")]), 0), undefined);
});

test("a message between a call and its result is no place to cut", () => {
  const entries = path([user("a"), called("1"), user("b"), result("1", 40)]);
  assert.is(firstKept(entries, 0), 1);
});

test("tokens are what was last counted and a guess for what came since", () => {
  const counted: Message = { ...called("1"), usage: { ...noUsage, totalTokens: 5000 } };
  assert.is(contextTokens(path([user("a"), counted]), 100), 5000);
  assert.ok(contextTokens(path([user("a"), counted, result("1", 4000)]), 100) > 6000);
  assert.ok(contextTokens(path([user("a".repeat(400))]), 100) >= 200);
});

test("letters outside ASCII count as a token each", () => {
  assert.is(textTokens("abcdefgh"), 2);
  assert.is(textTokens("日本語"), 3);
});

test("pieces of a record hold all of it", () => {
  const text = Array.from({ length: 50 }, (_, index) => `message ${index} ${"z".repeat(index * 7)}`).join("\n\n");
  for (const size of [20, 100, 1000, 100_000]) {
    const cut = pieces(text, size);
    assert.ok(cut.every((piece) => piece.length <= size));
    assert.is(cut.join("").replace(/\s/g, ""), text.replace(/\s/g, ""));
  }
});

test("the plain summary names what was asked, and which tools and files were used", () => {
  const summary = plainSummary([user("first line\nmiddle\nlast line"), called("1"), called("2")], {
    earlier: "once",
    size: 4000,
  });
  assert.match(summary, /first line … last line/);
  assert.match(summary, /read \(2 times\)/);
  assert.match(summary, /Files named: \/tmp\/x/);
  assert.match(summary, /Earlier notes:\nonce/);
  assert.not.match(summary, /middle/);
});

const missing: Message = { role: "user", content: [], timestamp: 0 };

/** A model that sums up when it is asked to, and else answers this. */
function summing(reply: Reply): (request: ModelRequest) => Reply {
  return (request) => (request.system === summaryPrompt ? { text: "SUMMARY" } : reply);
}

function user(text: string): Message {
  return { role: "user", content: [{ type: "text", text }], timestamp: 1 };
}

function called(id: string): Extract<Message, { role: "assistant" }> {
  return {
    role: "assistant",
    content: [{ type: "toolCall", id, name: "read", arguments: { path: "/tmp/x" } }],
    api: "echo",
    provider: "test",
    model: "one",
    usage: noUsage,
    stopReason: "toolUse",
    timestamp: 2,
  };
}

function result(toolCallId: string, letters: number): Message {
  const content = [{ type: "text" as const, text: "r".repeat(letters) }];
  return { role: "toolResult", toolCallId, toolName: "read", content, isError: false, timestamp: 3 };
}

/** Questions and answers of so many letters. */
function talk(turns: number, letters: number): readonly Message[] {
  return Array.from({ length: turns }, (_, turn): readonly Message[] => [
    user(`question ${turn} ${"q".repeat(letters)}`),
    { ...called(""), content: [{ type: "text", text: `answer ${turn} ${"a".repeat(letters)}` }], stopReason: "stop" },
  ]).flat();
}

function path(messages: readonly Message[]): readonly Entry[] {
  return messages.map((message, index) => ({
    type: "message",
    message,
    id: String(index + 1).padStart(8, "0"),
    parentId: null,
    seq: index + 1,
    timestamp: "2026-11-21T00:00:00.000Z",
  }));
}

function size(request: ModelRequest | undefined): number {
  return textTokens(JSON.stringify(request?.messages)) + textTokens(request?.system ?? "");
}

function phases(events: readonly { readonly type: string; readonly phase?: string }[]): readonly unknown[] {
  return events.flatMap((event) => (event.type === "compaction" ? [event.phase] : []));
}

test.run();
