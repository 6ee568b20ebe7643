import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import type { Channel } from "../../src/channels/channel.ts";
import { styledText } from "../../src/channels/signal-text.ts";
import { signal } from "../../src/channels/signal.ts";
import { Failure } from "../../src/kit/error.ts";
import { channelContract } from "../contract/channel.ts";
import { type ContextOptions, scriptedContext, type ScriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { scriptedHost } from "../support/host.ts";
import { signalAccount, signalAlice, type SignalDouble, signalDouble } from "../support/networks/signal.ts";

const basic = { account: signalAccount, httpUrl: "http://127.0.0.1:8080" };
const groupId = "R3JvdXBJZEdyb3VwSWRHcm91cElk";

channelContract("signal", {
  kind: async () => signal,
  network() {
    const double = signalDouble();
    return {
      reached: double.reached,
      problems: double.problems,
      settings: basic,
      recipient: "signal:+1 (555) 123-4567",
      get sent() {
        return double.sent;
      },
      write: (text) => double.write(text),
      drop: () => double.drop(),
      revoke: () => double.revoke(),
    };
  },
});

interface Opened {
  readonly double: SignalDouble;
  readonly scripted: ScriptedContext;
  readonly channel: Channel;
}

async function withAccount(
  settings: Readonly<Record<string, unknown>>,
  prove: (opened: Opened) => Promise<void>,
  options: Partial<ContextOptions> & { readonly double?: SignalDouble } = {},
): Promise<void> {
  const { double = signalDouble(), ...rest } = options;
  const scripted = scriptedContext({ ...double.reached, ...rest });
  const channel = await signal.open(v.parse(signal.settings, { ...basic, ...settings }), scripted.context);
  await scripted.clock.advance(2000);
  try {
    await prove({ double, scripted, channel });
    assert.equal(double.problems, []);
  } finally {
    await channel.close();
  }
}

const failureOf = (error: unknown): Failure => Failure.from(error);
const sending = { key: "k", signal: new AbortController().signal };

test("a direct message is from its uuid, which the number stands beside", async () => {
  await withAccount({ sendReadReceipts: true }, async ({ double, scripted }) => {
    double.tell({ ...signalAlice, dataMessage: { timestamp: 1700, message: "hello" } });
    double.tell({ sourceNumber: "+15559876543", dataMessage: { timestamp: 1701, message: "without a uuid" } });
    await settle();
    const [first, second] = scripted.received;
    assert.equal(first?.id, `1700:${signalAlice.sourceUuid}`);
    assert.equal(first?.sender, { id: `uuid:${signalAlice.sourceUuid}`, name: "Alice", aliases: ["+15551234567"] });
    assert.equal(first?.to, { to: "+15551234567" });
    assert.is(first?.mentioned, true);
    assert.is(second?.sender.id, "+15559876543");
    assert.equal(
      double.calls.map(({ method, params }) => [method, params["recipient"]]),
      [
        ["sendReceipt", signalAlice.sourceUuid],
        ["sendReceipt", "+15559876543"],
      ],
    );
  });
});

test("in a group we are mentioned by number, by uuid once it is known, and by an answer to us", async () => {
  await withAccount({}, async ({ double, scripted }) => {
    const ownUuid = "99999999-0000-4000-8000-000000000001";
    const groupInfo = { groupId, groupName: "Friends", type: "DELIVER" };
    const say = (timestamp: number, more: object): void =>
      double.tell({ ...signalAlice, dataMessage: { timestamp, message: "\uFFFC hi", groupInfo, ...more } });
    say(1, {});
    say(2, { mentions: [{ name: "Bot", number: signalAccount, start: 0, length: 1 }] });
    say(3, { mentions: [{ name: "Bot", number: null, uuid: ownUuid, start: 0, length: 1 }] });
    double.tell({
      sourceNumber: signalAccount,
      sourceUuid: ownUuid,
      syncMessage: { sentMessage: { message: "mine" } },
    });
    say(4, { mentions: [{ name: "Bot", uuid: ownUuid, start: 0, length: 1 }] });
    say(5, { quote: { id: 77, author: signalAccount, authorNumber: signalAccount, text: "what I said" } });
    await settle();
    assert.equal(
      scripted.received.map(({ mentioned }) => mentioned),
      [false, true, false, true, true],
    );
    assert.equal(scripted.received[1]?.text, "@Bot hi");
    assert.equal(scripted.received[1]?.peer, { kind: "group", id: groupId, name: "Friends" });
    assert.equal(scripted.received[1]?.to, { to: `group:${groupId}` });
    assert.is(scripted.received[4]?.quoted?.id, `77:${signalAccount}`);
    assert.is(scripted.kept.get("uuid"), ownUuid);
  });
});

test("receipts, typing, reactions, deletions, other accounts and garbage are no messages", async () => {
  await withAccount({}, async ({ double, scripted }) => {
    double.tell({ ...signalAlice, receiptMessage: { when: 1 } });
    double.tell({ ...signalAlice, typingMessage: { action: "STARTED" } });
    double.tell({ ...signalAlice, dataMessage: { timestamp: 5, message: null, reaction: { emoji: "👍" } } });
    double.tell({ ...signalAlice, dataMessage: { timestamp: 6, remoteDelete: { timestamp: 1 } } });
    double.tell({ ...signalAlice, dataMessage: { timestamp: "seven", message: "wrong" } });
    double.tell({ dataMessage: { timestamp: 8, message: "from nobody" } });
    double.tell({ ...signalAlice, dataMessage: { timestamp: 9, message: "good" } });
    await settle();
    assert.equal(
      scripted.received.map(({ text }) => text),
      ["good"],
    );
    assert.is(scripted.log.filter(({ level }) => level === "warn").length, 2);
  });
});

test("the next message is not read before the last one is on the disk", async () => {
  await withAccount({}, async ({ double, scripted }) => {
    scripted.refuse(new Failure("unavailable", "the disk is full"));
    double.write("one");
    double.write("two");
    await scripted.clock.advance(5000);
    assert.equal(scripted.received, []);
    scripted.refuse(undefined);
    await scripted.clock.advance(60_000);
    assert.equal(
      scripted.received.map(({ text }) => text),
      ["one", "two"],
    );
  });
});

test("files are fetched from signal-cli, and none that is too large", async () => {
  await withAccount({}, async ({ double, scripted }) => {
    double.files.set("a.png", new Uint8Array([1, 2, 3]));
    const attachments = [{ id: "a.png", contentType: "image/png", filename: "cat.png", size: 3 }];
    double.tell({ ...signalAlice, dataMessage: { timestamp: 5, message: null, attachments } });
    await settle();
    const [file] = scripted.received[0]?.attachments ?? [];
    assert.equal([file?.kind, file?.fileName, file?.mimeType], ["image", "cat.png", "image/png"]);
    assert.equal(await file?.load({ maxBytes: 3, signal: sending.signal }), new Uint8Array([1, 2, 3]));
    const error = await file?.load({ maxBytes: 2, signal: sending.signal }).then(() => undefined, failureOf);
    assert.is(error?.code, "invalid-request");
  });
});

test("an answer has the styles of its Markdown, quotes what it answers, and takes files along", async () => {
  await withAccount({}, async ({ double, channel }) => {
    const media = [{ data: new Uint8Array([1]), mimeType: "image/png", fileName: "a b;c.png" }];
    const sent = await channel.send(
      signal.target(`group:${groupId}`),
      { text: "**Bold** and `code`", replyTo: "1700:+15551234567", media },
      sending,
    );
    assert.equal(double.messages, [
      {
        groupId,
        message: "Bold and code",
        textStyles: ["0:4:BOLD", "9:4:MONOSPACE"],
        attachments: ["data:image/png;filename=a_b_c.png;base64,AQ=="],
        quoteTimestamp: 1700,
        quoteAuthor: "+15551234567",
        quoteMessage: "",
      },
    ]);
    assert.match(sent.id, /^\d+:\+15550000001$/);
    await channel.edit?.(signal.target("+15551234567"), sent.id, "*new*");
    assert.is(double.messages[1]?.["editTimestamp"], Number(sent.id.split(":")[0]));
    await channel.react?.(signal.target("+15551234567"), sent.id, "👍");
    await channel.react?.(signal.target("+15551234567"), sent.id, "");
    await channel.typing?.(signal.target(`group:${groupId}`));
    await channel.remove?.(signal.target("username:alice.01"), sent.id);
    assert.equal(
      double.calls.map(({ method, params }) => [method, params["emoji"], params["remove"]]),
      [
        ["sendReaction", "👍", false],
        ["sendReaction", "👍", true],
        ["sendTyping", undefined, undefined],
        ["remoteDelete", undefined, undefined],
      ],
    );
  });
});

test("what Signal refuses says what is to be done", async () => {
  await withAccount({}, async ({ double, channel }) => {
    const code = async (): Promise<unknown> =>
      channel.send({ to: "+15551234567" }, { text: "x" }, sending).then(
        () => "sent",
        (error: unknown) => Failure.from(error).code,
      );
    for (const [number, expected] of [
      [-1, "invalid-request"],
      [-3, "timeout"],
      [-4, "forbidden"],
      [-5, "rate-limited"],
    ] as const) {
      double.fail({ code: number, message: `no, ${signalAccount}` });
      assert.is(await code(), expected);
    }
    for (const [type, expected] of [
      ["UNREGISTERED_FAILURE", "not-found"],
      ["NETWORK_FAILURE", "timeout"],
    ] as const) {
      double.results([{ type }]);
      assert.is(await code(), expected);
    }
    double.results([{ type: "SUCCESS" }, { type: "NETWORK_FAILURE" }]);
    assert.is(await code(), "sent");
  });
});

test("signal-cli is started without our number in its arguments, started again, and ends with us", async () => {
  const double = signalDouble();
  double.running = false;
  const host = scriptedHost({ started: () => void (double.running = true) });
  const settings = { httpUrl: undefined, httpPort: 8099 };
  await withAccount(
    settings,
    async ({ scripted }) => {
      assert.is(scripted.states.at(-1)?.state, "ready");
      const [first] = host.processes.background;
      assert.equal(
        [first?.command, ...(first?.args ?? [])],
        [
          "signal-cli",
          "daemon",
          "--http",
          "127.0.0.1:8099",
          "--no-receive-stdout",
          "--receive-mode=on-connection",
          "--ignore-stories",
        ],
      );
      double.running = false;
      first?.end(1);
      double.drop();
      await scripted.clock.advance(10_000);
      assert.is(host.processes.background.length, 2);
      assert.is(scripted.states.at(-1)?.state, "ready");
    },
    { double, processes: host.processes },
  );
  assert.equal(host.processes.background.at(-1)?.signals, ["SIGTERM"]);
});

test("a signal-cli that is not there, or does not start, is told of", async () => {
  for (const [code, words, state] of [
    [127, "", "failed"],
    [1, `cannot use ${signalAccount}`, "connecting"],
  ] as const) {
    const double = signalDouble();
    double.running = false;
    const host = scriptedHost({
      started(child) {
        child.complain(words);
        child.end(code);
      },
    });
    await withAccount(
      { httpUrl: undefined },
      async ({ scripted }) => {
        const last = scripted.states.at(-1);
        assert.is(last?.state, state);
        assert.not.ok(JSON.stringify([scripted.states, scripted.log]).includes(signalAccount));
      },
      { double, processes: host.processes },
    );
  }
});

test("threat L: people of a list are numbers and uuids, however they are written, and no group is one", () => {
  const allowFrom = [
    "signal:+1 555 123-4567",
    `uuid:${signalAlice.sourceUuid.toUpperCase()}`,
    signalAlice.sourceUuid,
    "Alice",
  ];
  const policy = signal.policy(v.parse(signal.settings, { ...basic, allowFrom, groups: { [`group:${groupId}`]: {} } }));
  const uuid = `uuid:${signalAlice.sourceUuid}`;
  assert.equal(policy.direct.allowFrom, ["+15551234567", uuid, uuid, "Alice"]);
  assert.equal(Object.keys(policy.groups.rooms), [groupId]);
});

test("recipients are written in several ways, and what is none is refused", () => {
  assert.equal(signal.target("signal:group:" + groupId), { to: `group:${groupId}` });
  assert.equal(signal.target(signalAlice.sourceUuid), { to: `uuid:${signalAlice.sourceUuid}` });
  assert.equal(signal.target("username:alice.01"), { to: "username:alice.01" });
  for (const wrong of ["", "alice", "5551234567", "group:", "+1", "group:../../x"])
    assert.throws(
      () => signal.target(wrong),
      (error: unknown) => Failure.from(error).code === "invalid-request",
    );
});

test("Markdown becomes text and styles that lie inside it", () => {
  const { text, styles } = styledText(
    "# Head\n\n- *one*\n- [two](https://x.example/y)\n\n> q\n\n```js\nlet x;\n```\n😀 ~~gone~~",
  );
  assert.is(text, "Head\n\n• one\n• two (https://x.example/y)\n\n> q\n\nlet x;\n\n😀 gone");
  const shown = styles.map((style) => {
    const [start = 0, length = 0] = style.split(":").map(Number);
    return [text.slice(start, start + length), style.split(":")[2]];
  });
  assert.equal(shown, [
    ["Head", "BOLD"],
    ["one", "ITALIC"],
    ["let x;", "MONOSPACE"],
    ["gone", "STRIKETHROUGH"],
  ]);
});

test.run();
