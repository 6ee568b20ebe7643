import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { channels } from "../../src/channels/index.ts";
import { main } from "../../src/main.ts";
import { fakeGateway } from "../client/fake-gateway.ts";
import { scriptedHost, type ScriptedOptions } from "../support/host.ts";
import { home, run, token } from "./run.ts";

const file = "/home/me/.clawdbot/clawdbot.json";

interface Changed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The section `channels` as it is written afterwards. */
  readonly written: Readonly<Record<string, unknown>>;
}

async function change(line: readonly string[], options: ScriptedOptions = {}): Promise<Changed> {
  const host = scriptedHost({ name: "clawdbot", files: home, ...options, args: line });
  const code = await main(host);
  const written = JSON.parse((await host.files.read(file)) ?? "{}") as { channels?: Changed["written"] };
  const { stdout, stderr } = host.terminal;
  return { code, stdout: stdout.text, stderr: stderr.text, written: written.channels ?? {} };
}

function configured(section: object): ScriptedOptions {
  return { files: { [file]: JSON.stringify({ gateway: { mode: "local", auth: { token } }, channels: section }) } };
}

test("SC-021 channels add --help names twelve networks at least, each as people write it", async () => {
  const { code, stdout } = await run(["channels", "add", "--help"]);
  assert.is(code, 0);
  const text = stdout.replaceAll(/\s+/g, " ");
  assert.ok(channels.length >= 12, `${channels.length} networks`);
  for (const { id, label } of channels) assert.match(text, `${id} (${label})`);
  for (const id of ["whatsapp", "telegram", "slack", "discord", "signal", "imessage"])
    assert.ok(
      channels.some((entry) => entry.id === id),
      id,
    );
});

test("the guide names every network that there is, and no other", () => {
  const guide = readFileSync("docs/guides/channels.md", "utf8");
  const named = [...guide.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, id = ""]) => id);
  assert.equal(named.toSorted(), channels.map(({ id }) => id).toSorted());
});

test("channels add writes what it signs in with, never shows it, and says how people are let in", async () => {
  const secret = "123456:ABC-secret-of-the-bot";
  const { code, stdout, stderr, written } = await change([
    "channels",
    "add",
    "--channel",
    "telegram",
    "--token",
    secret,
  ]);
  assert.equal([code, stderr], [0, ""]);
  assert.equal(written, { telegram: { botToken: secret, enabled: true } });
  assert.match(stdout, "pairing approve telegram <code>");
  assert.not.match(stdout, secret);
});

test("channels add takes a secret from standard input, where ps does not see it", async () => {
  const token = "secret-from-a-pipe-of-a-bot.part2.part3";
  const line = ["channels", "add", "--channel", "discord", "--token", "-", "--account", "work", "--name", "Office"];
  const { code, written } = await change(line, { input: `${token}\n` });
  assert.is(code, 0);
  assert.equal(written, {
    discord: { enabled: true, accounts: { work: { name: "Office", token, enabled: true } } },
  });
});

test("channels add refuses a token that is none, says how they look, and writes nothing", async () => {
  const { code, stdout, stderr, written } = await change([
    "channels",
    "add",
    "--channel",
    "telegram",
    "--token",
    "abc",
  ]);
  assert.is(code, 2);
  assert.is(stdout, "");
  assert.match(stderr, "channels.telegram.botToken is wrong: expected a token such as 123456:ABC-DEF…");
  assert.equal(written, {});
});

test("channels add says what is missing and how to give it", async () => {
  const { code, stderr, written } = await change(["channels", "add", "--channel", "telegram"]);
  assert.is(code, 2);
  assert.match(stderr, "channels.telegram.botToken is missing");
  assert.match(stderr, "--bot-token");
  assert.equal(written, {});
});

test("channels add refuses what is not a network's, and a wrong value before it is written", async () => {
  const foreign = await change(["channels", "add", "--channel", "telegram", "--token", "x", "--homeserver", "y"]);
  assert.is(foreign.code, 2);
  assert.match(foreign.stderr, "Telegram does not take --homeserver");
  const account = await change(["channels", "add", "--channel", "telegram", "--token", "x", "--account", "../x"]);
  assert.match(account.stderr, "is not the id of an account");
  assert.equal([foreign.written, account.written], [{}, {}]);
});

test("channels add says of networks that others have that they are not here, and which are", async () => {
  for (const id of ["nostr", "tlon", "zalouser", "feishu", "imsg", "nothing"]) {
    const { code, stderr } = await change(["channels", "add", "--channel", id]);
    assert.is(code, 2, id);
    assert.match(stderr, `there is no network "${id}" here`);
    assert.match(stderr, "telegram");
  }
});

test("channels list tells every account and its trouble, and with --all what could be added", async () => {
  const section = { telegram: { accounts: { work: { botToken: "1:x", name: "Office" }, off: { enabled: false } } } };
  const { code, stdout } = await run(["channels", "list"], { ...configured(section), env: {} });
  assert.is(code, 0);
  const [head = "", ...rows] = stdout.trimEnd().split("\n");
  assert.match(head, /^Channel +Network +Account +Name +State$/);
  assert.match(rows[0] ?? "", /^telegram +Telegram +work +Office +configured$/);
  assert.match(rows[1] ?? "", /^telegram +Telegram +off +- +disabled$/);
  assert.not.match(stdout, "1:x");
  const all = await run(["channels", "list", "--all"], configured(section));
  assert.match(all.stdout, /^discord +Discord +- +- +not added$/m);
  const { accounts } = JSON.parse((await run(["channels", "list", "--json"], configured(section))).stdout) as {
    readonly accounts: readonly { readonly accountId: string; readonly configured: boolean }[];
  };
  assert.equal(
    accounts.map(({ accountId, configured: is }) => [accountId, is]),
    [
      ["work", true],
      ["off", false],
    ],
  );
});

test("channels list without any says how to add one", async () => {
  assert.match((await run(["channels"], { files: home })).stdout, "clawdbot channels add");
});

test("channels remove switches an account off, and with --delete takes it out", async () => {
  const section = { telegram: { botToken: "a" }, discord: { accounts: { one: { token: "b" }, two: { token: "c" } } } };
  const off = await change(["channels", "remove", "--channel", "telegram"], configured(section));
  assert.equal(off.written["telegram"], { botToken: "a", enabled: false });
  const gone = await change(["channels", "remove", "--channel", "discord", "--account", "one", "--delete"], {
    ...configured(section),
  });
  assert.equal(gone.written["discord"], { accounts: { two: { token: "c" } } });
  const none = await change(["channels", "remove", "--channel", "telegram", "--account", "none"], configured(section));
  assert.is(none.code, 1);
  assert.equal(none.written, section);
});

test("channels capabilities says what each can do", async () => {
  const { stdout } = await run(["channels", "capabilities", "--channel", "telegram"], { files: home });
  assert.match(stdout, /^Channel +Chats +Files +Reactions +Edits +Typing\ntelegram +direct, group/);
});

const good = { accountId: "default", enabled: true, running: true, connected: true, healthState: "ready" };

function statusOf(account: object) {
  const answer = {
    ts: 1,
    channelOrder: ["telegram"],
    channelLabels: {},
    channels: {},
    channelDefaultAccountId: {},
    channelAccounts: { telegram: [{ ...good, ...account }] },
  };
  return fakeGateway({
    methods: {
      "channels.status": () => answer,
      "channels.start": () => ({ channel: "telegram", accountId: "default", running: true }),
      "channels.logout": () => ({ channel: "telegram", accountId: "default", cleared: true, loggedOut: true }),
    },
  });
}

test("channels status is a table, and --probe fails when a network does not answer", async () => {
  const well = statusOf({ probe: { ok: true, bot: { id: "1", username: "claw\u001b[2J" } } });
  const fine = await run(["channels", "status", "--probe"], { files: home, dial: well.dial });
  assert.is(fine.code, 0);
  assert.match(fine.stdout, /^telegram +default +ready +claw\?\[2J/m);
  assert.equal(well.calls, [{ method: "channels.status", params: { probe: true, timeoutMs: 10_000 } }]);
  const ill = statusOf({ healthState: "connecting", probe: { ok: false, error: "out of order" } });
  const bad = await run(["channels", "status", "--probe"], { files: home, dial: ill.dial });
  assert.is(bad.code, 1);
  assert.match(bad.stdout, /connecting.*out of order/);
});

test("channels login says as whom, logout what was forgotten", async () => {
  const { dial } = statusOf({ probe: { ok: true, bot: { id: "1", username: "claw" } } });
  const inside = await run(["channels", "login", "--channel", "telegram"], { files: home, dial });
  assert.equal([inside.code, inside.stdout], [0, "✓ Signed in as claw.\n"]);
  const out = await run(["channels", "logout", "--channel", "telegram"], { files: home, dial });
  assert.match(out.stdout, "what it kept is forgotten");
});

test("channels logs shows the lines of the networks alone", async () => {
  const line = (subsystem: string, text: string): string => `2026-11-21T01:52:57.017Z warn  ${subsystem} ${text}`;
  const lines = [
    line("gateway", "other"),
    line("channels/slack/default", "one"),
    line("channels/telegram/default", "two"),
  ];
  const { dial } = fakeGateway({ methods: { "logs.tail": () => ({ file: "x", cursor: 1, size: 1, lines }) } });
  const all = await run(["channels", "logs"], { files: home, dial });
  assert.not.match(all.stdout, "other");
  assert.match(all.stdout, "one");
  const one = await run(["channels", "logs", "--channel", "telegram"], { files: home, dial });
  assert.not.match(one.stdout, "one");
  assert.match(one.stdout, "two");
});

test.run();
