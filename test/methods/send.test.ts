import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import type { App } from "../../src/app.ts";
import { openOutbox } from "../../src/flow/outbox.ts";
import { ownChats } from "../../src/flow/own-chats.ts";
import type { Reply } from "../../src/flow/reply.ts";
import type { Failure } from "../../src/kit/error.ts";
import type { Method } from "../../src/methods/method.ts";
import { sendMethods } from "../../src/methods/send.ts";
import { createMedia } from "../../src/session/media.ts";
import { createMemoryLogs } from "../../src/store/memory-log.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { message } from "../../src/tools/message.ts";
import type { ToolContext } from "../../src/tools/tool.ts";
import { scriptedApp } from "../support/app.ts";
import type { Answer } from "../support/doubles.ts";
import { createMemoryFiles } from "../support/memory-files.ts";
import { checkParams } from "../support/official.ts";
import {
  scriptedChannel,
  scriptedNetworks,
  type ScriptedChannel,
  type ScriptedChannelOptions,
} from "../support/scripted-channel.ts";

const text = { to: "ann", message: "hi", idempotencyKey: "k1" };

interface WorldOptions extends ScriptedChannelOptions {
  readonly others?: readonly ScriptedChannel[];
  /** The chat that the session answers now. */
  readonly active?: Reply;
  /** Where sessions have been written from. */
  readonly wrote?: readonly { channel: string; to: string; accountId?: string }[];
  /** Who was let in by a code. */
  readonly paired?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

/** An app over networks and an outbox that are real but for the network itself. */
async function world({ others = [], active, wrote = [], paired = [], files = {}, ...options }: WorldOptions = {}) {
  const network = scriptedChannel(options);
  const networks = scriptedNetworks([network, ...others]);
  const { app: bare, host } = scriptedApp({ networks });
  const { log } = bare;
  const { clock } = host;
  const media = createMedia(createMemoryStore());
  const account = networks.open.bind(networks);
  const undelivered = async (): Promise<void> => undefined;
  const logs = createMemoryLogs();
  const outbox = await openOutbox({ clock, log, logs, random: () => 0, media, account, undelivered });
  outbox.start();
  const disk = createMemoryFiles(() => clock.now());
  disk.putFolder("/home/me/.openclaw/workspace");
  for (const [path, content] of Object.entries(files)) disk.put(path, content);
  const rows = wrote.map((delivery) => ({ delivery }));
  const parts = {
    clock,
    media,
    networks,
    outbox,
    config: bare.config,
    paths: bare.paths,
    host: { ...host, files: disk },
    senders: { allowed: async () => new Set(paired) },
    sessions: { get: () => undefined, list: () => ({ rows, total: rows.length }) },
    turns: { active: () => active && { reply: active } },
  };
  const app = parts as unknown as App;

  async function over<T>(going: Promise<T>): Promise<T | string> {
    const told = going.catch((error: Failure) => `${error.code}: ${error.message}`);
    for (let turn = 0; turn < 10; turn++) await clock.advance(0);
    return told;
  }
  const { signal } = new AbortController();
  return {
    network,
    networks,
    clock,
    outbox,
    /** Calls a method as the dispatcher does; a failure is its code and text. */
    call(name: string, given: object): Promise<Answer> {
      checkParams(name, given);
      const method: Method | undefined = sendMethods.find((each) => each.name === name);
      if (!method) throw new Error(`no method ${name}`);
      const params: unknown = v.parse(method.params, given);
      return over(
        Promise.resolve(method.run({ app, params, signal } as never)).then((answer) => v.parse(method.result, answer)),
      );
    },
    /** Calls the tool as a model does; answers what the model reads. */
    use(given: object): Promise<string> {
      const chats = ownChats(app, { agentId: "main", sessionKey: "agent:main:main" });
      const context = { chats, signal } as unknown as ToolContext;
      const going = message.run(v.parse(message.params, given), context);
      return over(going.then(({ content: [part] }) => (part?.type === "text" ? part.text : "")));
    },
  };
}

const shown = ({ network }: { network: ScriptedChannel }): readonly string[] =>
  network.shown.map(({ to, text }) => `${to.to}${to.thread === undefined ? "" : `/${to.thread}`}: ${text}`);

test("send answers when the network has taken the message", async () => {
  const w = await world();
  assert.equal(await w.call("send", text), { runId: "k1", messageId: "scripted-1", channel: "scripted" });
  await w.call("send", { ...text, to: "room", threadId: "7", replyToId: "m5", idempotencyKey: "k2" });
  assert.equal(shown(w), ["ann: hi", "room/7: hi"]);
  assert.is(w.network.shown[1]?.message.replyTo, "m5");
  assert.equal(w.network.violations, []);
});

test("a repeated send is answered and not sent again, whatever it says", async () => {
  const w = await world();
  const first = await w.call("send", text);
  assert.equal(await w.call("send", { ...text, message: "other" }), first);
  assert.equal(shown(w), ["ann: hi"]);
});

test("send says what is wrong: nothing to send, no network, several, none of that name, not open, not allowed there", async () => {
  const none = await world();
  assert.is(
    await none.call("send", { ...text, message: " " }),
    "invalid-request: invalid send params: text or media is required",
  );
  assert.is(await none.call("send", { ...text, channel: "fax" }), "invalid-request: unsupported channel: fax");
  assert.match(await none.call("send", { ...text, to: "no such person!" }), /is no recipient/);
  none.networks.setOpen("scripted", false);
  assert.match(await none.call("send", text), /^unavailable: /);
  none.networks.setOpen("scripted", true);
  none.network.next("refused");
  assert.is(await none.call("send", text), "forbidden: the bot was blocked by the user");
  const two = await world({ others: [scriptedChannel({ id: "other" })] });
  assert.is(
    await two.call("send", text),
    "invalid-request: Channel is required when several are configured: scripted, other.",
  );
});

test("threats M and N a file to send is its bytes: no address is fetched, no path read", async () => {
  const w = await world();
  const png = "iVBORw0KGgo=";
  await w.call("send", { ...text, mediaUrl: `data:text/plain;base64,${png}` });
  await w.call("send", { ...text, message: "", buffer: "aGk=", filename: "../../x/a.txt", idempotencyKey: "k2" });
  assert.equal(
    w.network.shown.map(({ message: { media = [] } }) => media.map(({ mimeType, fileName }) => [mimeType, fileName])),
    [[["image/png", "file"]], [["application/octet-stream", "a.txt"]]],
  );
  const urls = ["https://example.com/a.png", "http://169.254.169.254/", "file:///etc/passwd", "/etc/passwd", "a.png"];
  for (const [at, mediaUrl] of urls.entries())
    assert.match(await w.call("send", { ...text, mediaUrl, idempotencyKey: `u${at}` }), /must be a data: URL/);
  for (const buffer of ["", "%%%", "x".repeat(8 * 1024 * 1024)])
    assert.match(
      await w.call("send", { ...text, buffer, idempotencyKey: `b${buffer.length}` }),
      /^invalid-request: the file/,
    );
});

test("message.action sends, edits, reacts and deletes", async () => {
  const w = await world();
  const action = (kind: string, params: object, idempotencyKey = kind) =>
    w.call("message.action", { channel: "scripted", action: kind, params, idempotencyKey });
  assert.equal(await action("send", { to: "ann", message: "hi" }), {
    ok: true,
    channel: "scripted",
    action: "send",
    to: "ann",
    messageId: "scripted-1",
    messageIds: ["scripted-1"],
  });
  const it = { to: "ann", messageId: "scripted-1" };
  await action("edit", { ...it, message: "hello" });
  assert.equal(shown(w), ["ann: hello"]);
  await action("react", { ...it, emoji: "👍" });
  assert.is(w.network.reactions.get("scripted-1"), "👍");
  await action("react", { ...it, remove: true }, "unreact");
  assert.is(w.network.reactions.size, 0);
  await action("delete", it);
  assert.equal(shown(w), []);
  assert.equal(w.network.violations, []);
});

test("message.action says what a network cannot do, and what is missing", async () => {
  const w = await world({ abilities: { edit: false, reactions: false } });
  const action = (kind: string, params: object) =>
    w.call("message.action", { channel: "scripted", action: kind, params, idempotencyKey: "k" });
  const it = { to: "ann", messageId: "1" };
  assert.is(await action("edit", { ...it, message: "x" }), "invalid-request: Scripted has no way to edit messages");
  assert.is(await action("delete", it), "invalid-request: Scripted has no way to delete messages");
  assert.is(await action("react", { ...it, emoji: "x" }), "invalid-request: Scripted has no way to react to messages");
  assert.match(await action("send", { message: "x" }), /params\.to is required/);
  assert.match(await action("send", { to: "ann" }), /nothing to send/);
  assert.match(await action("edit", { to: "ann", message: "x" }), /params\.messageId is required/);
  assert.match(await action("poll", it), /unsupported action: "poll"; there are send, edit, delete and react/);
});

test("the tool is there when a network is set up, and writes to the chat that is answered now", async () => {
  assert.is(ownChats({ networks: scriptedNetworks([]) } as never, { agentId: "main", sessionKey: "x" }), undefined);
  const here = { channel: "scripted", accountId: "default", target: { to: "ann", thread: "9" }, replyTo: "m1" };
  const w = await world({ active: here });
  assert.is(await w.use({ action: "send", message: "hi" }), "Sent in scripted, ann (message scripted-1).");
  assert.equal(shown(w), ["ann/9: hi"]);
  assert.match(await w.use({ action: "react", emoji: "👍" }), /^not-found: there is no message m1|^Reacted/);
  assert.match(await w.use({ action: "edit", message: "x" }), /say which message to edit/);
  assert.is(
    await w.use({ action: "edit", messageId: "scripted-1", message: "ho" }),
    "Changed in scripted, ann (message scripted-1).",
  );
  assert.equal(shown(w), ["ann/9: ho"]);
});

test("threat F a model writes to nobody who has not written, or is not named by the owner", async () => {
  const w = await world({
    active: { channel: "scripted", accountId: "default", target: { to: "ann" } },
    wrote: [
      { channel: "scripted", to: "bob" },
      { channel: "scripted", to: "eve", accountId: "other" },
      { channel: "x", to: "mallory" },
    ],
    paired: ["carol"],
    settings: { allowFrom: ["*", "user:dave"], groups: { "*": {}, team: {}, closed: { enabled: false } } },
  });
  for (const to of ["ann", "bob", "carol", "dave", "team", "user:bob"])
    assert.match(await w.use({ action: "send", to, message: "hi" }), /^Sent/, to);
  for (const to of ["eve", "mallory", "zoe", "closed", "bobby", "Bob"])
    assert.match(await w.use({ action: "send", to, message: "hi" }), /^forbidden: .*channels\.scripted\.allowFrom/, to);
  assert.is(w.network.shown.length, 6);
});

test("threat P a model sends files of its workspace alone", async () => {
  const files = { "/home/me/.openclaw/workspace/a.txt": "mine", "/home/me/.openclaw/openclaw.json": "secret" };
  const w = await world({ active: { channel: "scripted", accountId: "default", target: { to: "ann" } }, files });
  assert.match(await w.use({ action: "send", message: "look", media: ["a.txt"] }), /^Sent/);
  assert.is(w.network.shown[0]?.message.media?.[0]?.fileName, "a.txt");
  for (const path of ["../openclaw.json", "/etc/passwd", "missing"])
    assert.match(await w.use({ action: "send", message: "look", media: [path] }), /could not be sent/);
  assert.is(w.network.shown.length, 1);
});

test.run();
