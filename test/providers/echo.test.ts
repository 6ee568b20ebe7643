import { test } from "uvu";
import * as assert from "uvu/assert";
import { echo } from "../../src/providers/echo.ts";
import { knownModel } from "../../src/providers/facts.ts";
import type { ModelRequest, ModelSpec } from "../../src/providers/provider.ts";
import type { Message } from "../../src/session/message.ts";
import { answer, ask, callOf, collect, requestOf, toolResult, user } from "../support/vendors/double.ts";

const model = knownModel("clawlet", "echo") as ModelSpec;
const call = callOf({ answer: () => Promise.reject(new Error("it asked the network")) });
const tools = ["read", "write", "session_status"].map((name) => ({
  name,
  description: "",
  parameters: { type: "object" },
}));

test("the first answer says what it is, how to get a real model, and repeats what was said", async () => {
  const text = await said([user("Good morning")]);
  for (const part of ["understand nothing", "clawlet onboard", "ANTHROPIC_API_KEY", "Ollama", "You said: Good morning"])
    assert.match(text, part);
});

test("later answers are short and still say what it is", async () => {
  const text = await said([user("Hi"), answer(model, [{ type: "text", text: "…" }]), user("And now?")]);
  assert.match(text, "You said: And now?");
  assert.match(text, "built-in stand-in");
  assert.ok(text.length < 150);
});

test("the text is streamed word by word and adds up to the answer", async () => {
  const events = await collect(echo.stream(requestOf(model, { messages: [user("say 5 words")] }), call));
  assert.equal(
    events.flatMap((event) => (event.type === "text" ? [event.delta] : [])),
    ["word1 ", "word2 ", "word3 ", "word4 ", "word5"],
  );
  assert.is(events.at(-1)?.type, "done");
});

test("the same request gets the same answer, at no cost", async () => {
  const request = requestOf(model, { messages: [user("read a.md")], tools });
  assert.equal(await ask(echo, request, call), await ask(echo, request, call));
  const { usage } = await ask(echo, request, call);
  assert.ok(usage.input > 0 && usage.output > 0);
  assert.is(usage.cost.total, 0);
});

test("simple commands call tools that are offered", async () => {
  assert.equal(await called("read notes/a.md"), { name: "read", arguments: { path: "notes/a.md" } });
  assert.equal(await called("write a.md two\nlines"), {
    name: "write",
    arguments: { path: "a.md", content: "two\nlines" },
  });
  assert.equal(await called("Status"), { name: "session_status", arguments: {} });
  assert.is(await called("read a book today"), undefined);
  const { stopReason } = await ask(echo, requestOf(model, { messages: [user("status")] }), call);
  assert.is(stopReason, "stop");
});

test("what the tools answered is reported, failures as such", async () => {
  const messages = [
    user("read a.md"),
    answer(model, [{ type: "toolCall", id: "1", name: "read", arguments: { path: "a.md" } }]),
    toolResult("1", "read", "the text"),
    { ...toolResult("2", "write", "no such folder"), isError: true },
  ];
  assert.is(await said(messages), "read says:\nthe text\n\nwrite failed:\nno such folder");
});

test("answers have a limit, whatever was said", async () => {
  assert.is((await said([user("say 999999 words")])).split(" ").length, 2000);
  assert.ok((await said([user("x".repeat(100_000))])).length < 3000);
  const cut = await ask(echo, requestOf(model, { messages: [user("say 50 words")], maxTokens: 2 }), call);
  assert.equal([cut.stopReason, cut.content], ["length", [{ type: "text", text: "word1 wo" }]]);
});

test("an abort between two words ends it at once", async () => {
  const stop = new AbortController();
  const words: string[] = [];
  try {
    const request = requestOf(model, { messages: [user("say 2000 words")] });
    for await (const event of echo.stream(request, { ...call, signal: stop.signal })) {
      if (event.type === "text") words.push(event.delta);
      if (words.length === 3) stop.abort();
    }
    assert.unreachable();
  } catch (error) {
    assert.is((error as { code?: string }).code, "aborted");
  }
  assert.is(words.length, 3);
});

async function said(messages: readonly Message[]): Promise<string> {
  const { content } = await ask(echo, requestOf(model, { messages }), call);
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

async function called(text: string, more: Partial<ModelRequest> = {}) {
  const { content } = await ask(echo, requestOf(model, { messages: [user(text)], tools, ...more }), call);
  const [part] = content;
  return part?.type === "toolCall" ? { name: part.name, arguments: part.arguments } : undefined;
}

test.run();
