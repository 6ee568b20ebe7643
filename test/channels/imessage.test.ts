import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import type { Channel } from "../../src/channels/channel.ts";
import { imessage } from "../../src/channels/imessage.ts";
import { Failure } from "../../src/kit/error.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext, type ScriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { type ImessageDouble, imessageDouble } from "../support/networks/imessage.ts";

channelContract("imessage", {
  kind: async () => imessage,
  network() {
    const double = imessageDouble();
    return {
      reached: { processes: double.processes },
      problems: double.problems,
      settings: { service: "imessage" },
      recipient: "+1 (555) 123-4567",
      get sent() {
        return double.sent.map(({ text }) => String(text));
      },
      write: (text) => double.put({ text }),
      drop: () => double.end(1),
    };
  },
});

interface Opened {
  readonly double: ImessageDouble;
  readonly scripted: ScriptedContext;
  readonly channel: Channel;
}

async function withAccount(
  settings: Readonly<Record<string, unknown>>,
  prove: (opened: Opened) => Promise<void>,
  given: { readonly double?: ImessageDouble; readonly kept?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const { double = imessageDouble(), kept = {} } = given;
  const scripted = scriptedContext({ processes: double.processes, kept });
  const channel = await imessage.open(v.parse(imessage.settings, settings), scripted.context);
  await scripted.clock.advance(100);
  try {
    await prove({ double, scripted, channel });
    assert.equal(double.problems, []);
  } finally {
    await channel.close();
  }
}

const sending = { key: "k", signal: new AbortController().signal };

test("it begins with what comes after it was set up, and goes on from there over any number of ends", async () => {
  const double = imessageDouble();
  double.put({ text: "from before" });
  let kept: Readonly<Record<string, string>> = {};
  await withAccount(
    { cliPath: "/opt/imsg", dbPath: "/tmp/chat.db" },
    async ({ scripted }) => {
      assert.equal(double.starts[0], { command: "/opt/imsg", args: ["rpc", "--db", "/tmp/chat.db"] });
      double.put({ text: "one" });
      await settle();
      double.end(1, "it crashed");
      double.put({ text: "while it was away" });
      await scripted.clock.advance(5000);
      assert.equal(
        scripted.received.map(({ text }) => text),
        ["one", "while it was away"],
      );
      assert.is(scripted.states.at(-1)?.state, "ready");
      kept = Object.fromEntries(scripted.kept);
    },
    { double },
  );
  double.put({ text: "while we were away" });
  await withAccount(
    {},
    async ({ scripted }) =>
      assert.equal(
        scripted.received.map(({ text }) => text),
        ["while we were away"],
      ),
    { double, kept },
  );
});

test("a message that cannot be taken yet is not passed over, whatever ends meanwhile", async () => {
  const double = imessageDouble();
  const kept = { row: "99" };
  await withAccount(
    {},
    async ({ scripted }) => {
      scripted.refuse(new Failure("unavailable", "the disk is full"));
      double.put({ text: "keep me" });
      await scripted.clock.advance(3000);
      assert.is(scripted.kept.get("row"), "99");
      double.end(1);
      await scripted.clock.advance(10_000);
      scripted.refuse(undefined);
      await scripted.clock.advance(60_000);
      assert.is(scripted.kept.get("row"), "100");
      assert.equal([...new Set(scripted.received.map(({ id }) => id))], ["guid-100"]);
    },
    { double, kept },
  );
});

test("messages are from numbers and addresses, and groups are chats", async () => {
  await withAccount({}, async ({ double, scripted }) => {
    double.put({ text: "hello", sender: "Me@Example.com" });
    double.put({ text: "all", is_group: true, chat_id: 12, chat_name: "Family", reply_to_guid: "guid-1" });
    double.put({
      text: "\uFFFC",
      attachments: [{ transfer_name: "cat.heic", mime_type: "image/heic", total_bytes: 5 }],
    });
    await settle();
    const [direct, group, file] = scripted.received;
    assert.equal(
      [direct?.id, direct?.peer, direct?.to],
      ["guid-100", { kind: "direct", id: "Me@Example.com" }, { to: "chat_id:7" }],
    );
    assert.is(direct?.at, Date.UTC(2026, 0, 2, 3, 4, 5));
    assert.equal([group?.peer, group?.to], [{ kind: "group", id: "12", name: "Family" }, { to: "chat_id:12" }]);
    assert.equal([group?.mentioned, group?.quoted], [false, { id: "guid-1" }]);
    assert.is(file?.text, "[file: cat.heic]");
  });
});

test("our own messages, reactions, and what cannot be read are passed over", async () => {
  await withAccount({}, async ({ double, scripted }) => {
    double.put({ text: "mine", is_from_me: true });
    double.put({ text: "Liked", is_reaction: true });
    double.put({ text: 5 });
    double.put({ text: "nobody", sender: "" });
    double.print('{"something":"else"}');
    double.print('"text"');
    double.put({ text: "good" });
    await settle();
    assert.equal(
      scripted.received.map(({ text }) => text),
      ["good"],
    );
    assert.is(scripted.kept.get("row"), "104");
  });
});

test("answers are plain text to a person or a chat", async () => {
  await withAccount({ service: "sms", region: "CH" }, async ({ double, channel }) => {
    await channel.send(imessage.target("chat_id:12"), { text: "**hi**" }, sending);
    await channel.send(imessage.target("imessage:Me@Example.com"), { text: "ho" }, sending);
    assert.equal(double.sent, [
      { chat_id: 12, text: "hi", service: "sms", region: "CH" },
      { to: "Me@Example.com", text: "ho", service: "sms", region: "CH" },
    ]);
  });
});

test("what imsg refuses, does not answer, or ends over says what is to be done", async () => {
  await withAccount({}, async ({ double, scripted, channel }) => {
    const code = async (): Promise<unknown> => {
      const sent = channel.send({ to: "+15551234567" }, { text: "x" }, sending).then(
        () => "sent",
        (error: unknown) => Failure.from(error).code,
      );
      await scripted.clock.advance(61_000);
      return sent;
    };
    double.refuse({ code: -32602, message: "Invalid params", data: "unknown chat_id" });
    assert.is(await code(), "invalid-request");
    double.refuse({ code: -32603, message: "AppleScript failed" });
    assert.is(await code(), "failed");
    double.refuse("silence");
    assert.is(await code(), "timeout");
    double.refuse("silence");
    const lost = channel.send({ to: "+15551234567" }, { text: "x" }, sending).then(
      () => "sent",
      (error: unknown) => Failure.from(error).code,
    );
    await settle();
    double.end(1);
    assert.is(await lost, "timeout");
  });
});

test("a program that is not there is for a person to put right", async () => {
  const double = imessageDouble();
  double.missing = true;
  await withAccount(
    {},
    async ({ scripted }) => {
      await scripted.clock.advance(1000);
      assert.is(scripted.states.at(-1)?.state, "failed");
    },
    { double },
  );
  const scripted = scriptedContext();
  const channel = await imessage.open(v.parse(imessage.settings, {}), scripted.context);
  await settle();
  assert.is(scripted.states.at(-1)?.state, "failed");
  await channel.close();
});

test("threat L: people of a list are numbers and addresses, however they are written", () => {
  const allowFrom = ["imessage:+1 (555) 123-4567", "Me@Example.COM", "Mum"];
  const policy = imessage.policy(v.parse(imessage.settings, { allowFrom, groups: { "chat_id:12": {}, "13": {} } }));
  assert.equal(policy.direct.allowFrom, ["+15551234567", "Me@Example.COM", "Mum"]);
  assert.equal(Object.keys(policy.groups.rooms).sort(), ["12", "13"]);
});

test("recipients are written in several ways, and what is none is refused", () => {
  assert.equal(imessage.target("group:42"), { to: "chat_id:42" });
  assert.equal(imessage.target("sms:+15551234567"), { to: "+15551234567" });
  for (const wrong of ["", "Mum", "chat_id:x", "a b@c.d", "+1"])
    assert.throws(
      () => imessage.target(wrong),
      (error: unknown) => Failure.from(error).code === "invalid-request",
    );
});

test.run();
