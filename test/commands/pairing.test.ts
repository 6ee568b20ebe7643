import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway } from "../client/fake-gateway.ts";
import { startOfTime } from "../support/fake-clock.ts";
import { home, run } from "./run.ts";

function request(requestId: string, more: object = {}) {
  const createdAt = new Date(startOfTime - 120_000).toISOString();
  return {
    channel: "telegram",
    accountId: "default",
    requestId,
    senderId: "123",
    createdAt,
    lastSeenAt: createdAt,
    ...more,
  };
}

function open(requests: readonly object[], notification = "not-requested") {
  return fakeGateway({
    methods: {
      "channels.pairing.list": () => ({ requests }),
      "channels.pairing.approve": ({ requestId }) => ({ requestId, senderId: "123", notification }),
    },
  });
}

const ada = request("ABCD2345", { metadata: { name: "Ada\u001b[2J", username: "ada" } });

test("pairing list shows codes, senders and what they call themselves", async () => {
  const gateway = open([ada]);
  const { code, stdout } = await run(["pairing", "list", "telegram"], { files: home, dial: gateway.dial });
  assert.is(
    stdout,
    [
      "Code      Channel   Account  Sender  About         Asked",
      "ABCD2345  telegram  default  123     Ada?[2J, ada  2m ago",
      "",
    ].join("\n"),
  );
  assert.is(code, 0);
  assert.equal(gateway.calls, [{ method: "channels.pairing.list", params: { channel: "telegram" } }]);
  assert.equal(gateway.connections[0]?.connect?.["scopes"], ["operator.pairing"]);
});

test("8.13 pairing list says when nobody waits", async () => {
  const { dial } = open([]);
  const of = async (...args: readonly string[]) =>
    (await run(["pairing", "list", ...args], { files: home, dial })).stdout;
  assert.is(await of("telegram"), "No pending telegram pairing requests.\n");
  assert.is(await of("--channel", "signal"), "No pending signal pairing requests.\n");
  assert.is(await of(), "No pending pairing requests.\n");
});

test("pairing list --account narrows, and --json is what scripts know", async () => {
  const gateway = open([ada]);
  const line = ["pairing", "list", "--channel", "telegram", "--account", "default", "--json"];
  const { stdout } = await run(line, { files: home, dial: gateway.dial });
  assert.equal(gateway.calls[0]?.params, { channel: "telegram", accountId: "default" });
  assert.equal(JSON.parse(stdout), {
    channel: "telegram",
    requests: [
      {
        id: "123",
        code: "ABCD2345",
        createdAt: ada.createdAt,
        lastSeenAt: ada.createdAt,
        channel: "telegram",
        meta: { name: "Ada\u001b[2J", username: "ada", accountId: "default" },
      },
    ],
  });
});

for (const line of ["telegram ABCD2345", "telegram abcd2345", "--channel telegram ABCD2345", "ABCD2345"]) {
  test(`8.13 pairing approve ${line} lets the sender in`, async () => {
    const gateway = open([ada, request("OTHER234")]);
    const { code, stdout } = await run(["pairing", "approve", ...line.split(" ")], { files: home, dial: gateway.dial });
    assert.equal([code, stdout], [0, "✓ Approved telegram sender 123.\n"]);
    assert.equal(gateway.calls[1], {
      method: "channels.pairing.approve",
      params: { channel: "telegram", accountId: "default", requestId: "ABCD2345", notify: false },
    });
  });
}

test("pairing approve of a code that nobody has says where to look, and approves nobody", async () => {
  const gateway = open([ada]);
  const { code, stderr } = await run(["pairing", "approve", "telegram", "WRONG234"], {
    files: home,
    dial: gateway.dial,
  });
  assert.is(code, 1);
  assert.match(stderr, /^nobody waits with the code WRONG234: .*\nSee: clawdbot pairing list telegram\n/);
  assert.is(gateway.calls.length, 1);
});

test("pairing approve of a code that is known at two places wants to know which", async () => {
  const gateway = open([ada, { ...ada, channel: "signal" }]);
  const { code, stderr } = await run(["pairing", "approve", "ABCD2345"], { files: home, dial: gateway.dial });
  assert.is(code, 2);
  assert.match(stderr, "pass --channel and --account");
  assert.is(gateway.calls.length, 1);
});

test("pairing approve with two channels is a mistake", async () => {
  const line = ["pairing", "approve", "telegram", "ABCD2345", "--channel", "signal"];
  const { code, stderr } = await run(line, { files: home, dial: open([]).dial });
  assert.is(code, 2);
  assert.match(stderr, "two channels given, telegram and signal");
});

for (const [notification, told] of [
  ["unsupported", false],
  ["failed", false],
  ["sent", true],
] as const) {
  test(`pairing approve --notify says whether the sender was told: ${notification}`, async () => {
    const gateway = open([ada], notification);
    const line = ["pairing", "approve", "telegram", "ABCD2345", "--notify"];
    const { code, stderr } = await run(line, { files: home, dial: gateway.dial });
    assert.is(code, 0);
    assert.is(/was not told/.test(stderr), !told);
    assert.match(JSON.stringify(gateway.calls[1]), '"notify":true');
  });
}

test.run();
