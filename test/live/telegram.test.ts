import { rmSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeHome, runCommand, startGateway, until, type GatewayProcess } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { serveTelegram, type TelegramServer } from "../support/networks/telegram-http.ts";

test.after(endLaunched);

const wait = 20_000;

test("what is written in Telegram is answered exactly once, though the gateway is killed again and again", async () => {
  const network = await serveTelegram();
  const { double, held } = network;
  const home = makeHome();
  const start = starter(home, network, { dmPolicy: "open", allowFrom: ["*"] });
  const texts: string[] = [];
  const write = (people: readonly number[]): readonly number[] =>
    people.map((id) => {
      texts.push(`message ${texts.length} of person ${id}.`);
      return double.write(texts.at(-1) ?? "", { id, first_name: `Person ${id}` });
    });
  const answers = (text: string): number => double.messages.filter(({ seen }) => seen.includes(said(text))).length;
  const allAnswered = (): true | undefined => texts.every((text) => answers(text) > 0) || undefined;
  // An answer on its way to a chat says that the one before it was written down as sent.
  const onTheirWay = (wanted: readonly string[]) => (): true | undefined =>
    wanted.every((text) => held.some((each) => each.includes(said(text)))) || undefined;
  const handedOut = (before: number) => (): true | undefined => network.givenOut.size >= before + 4 || undefined;

  try {
    network.hold(true);
    let gateway = await start();
    write([1, 2, 3, 4]);
    await until("answers on their way", onTheirWay(texts), wait);
    await gateway.stop("SIGKILL");

    const seen = network.givenOut.size;
    gateway = await start();
    write([5, 6, 7, 8]);
    await until("updates that were given out", handedOut(seen), wait);
    await gateway.stop("SIGKILL");

    network.hold(false);
    gateway = await start();
    await until("answers to the first eight", allAnswered, wait);
    network.hold(true);
    write([1, 2, 3, 4, 5, 6, 7, 8]);
    await until("answers on their way", onTheirWay(texts.slice(8)), wait);
    await gateway.stop("SIGKILL");

    const seenNow = network.givenOut.size;
    gateway = await start();
    write([9, 10, 11, 12]);
    await until("updates that were given out", handedOut(seenNow), wait);
    await gateway.stop("SIGKILL");

    gateway = await start();
    await until("answers on their way", onTheirWay(texts.slice(16)), wait);
    await gateway.stop("SIGKILL");

    network.hold(false);
    gateway = await start();
    await until("answers to all", allAnswered, wait);
    await gateway.stop();
    assert.equal(
      texts.map(answers),
      texts.map(() => 1),
    );
    assert.is(texts.length, 20);
    assert.is(double.waiting, 0);
    assert.equal(double.problems, []);
  } finally {
    await network.close();
    rmSync(home, { recursive: true, force: true });
  }
});

test("a stranger is given a code, and answered once the owner has approved it", async () => {
  const network = await serveTelegram();
  const { double } = network;
  const home = makeHome();
  let gateway: GatewayProcess | undefined;
  try {
    gateway = await starter(home, network, {})();
    double.write("let me in");
    const code = await until("a code", () => /\b[A-HJ-NP-Z2-9]{8}\b/.exec(double.messages[0]?.seen ?? "")?.[0], wait);
    const approved = await runCommand(["pairing", "approve", "telegram", code], home);
    assert.equal([approved.status, approved.stdout], [0, "✓ Approved telegram sender 42.\n"], approved.stderr);
    double.write("hello again");
    await until("an answer", () => double.messages.find(({ seen }) => seen.includes(said("hello again"))), wait);
    assert.not.ok(double.messages.some(({ seen }) => seen.includes(said("let me in"))));
    assert.equal(double.problems, []);
  } finally {
    await gateway?.stop();
    await network.close();
    rmSync(home, { recursive: true, force: true });
  }
});

test("updates that are brought to the gateway's port are answered; threat K who has not the secret gets nothing", async () => {
  const network = await serveTelegram();
  const { double } = network;
  const home = makeHome();
  const path = "/telegram-webhook";
  let gateway: GatewayProcess | undefined;
  try {
    const settings = { dmPolicy: "open", allowFrom: ["*"], webhookUrl: `https://bot.example.org${path}` };
    gateway = await starter(home, network, settings)();
    const { secret } = await until("a webhook that was set", () => double.webhook, wait);
    const bring = (text: string, given: string): Promise<Response> => {
      const from = { id: 42, is_bot: false, first_name: "Ada" };
      const message = { message_id: 7, date: 1_700_000_000, chat: { id: 42, type: "private" }, from, text };
      const headers = { "content-type": "application/json", "x-telegram-bot-api-secret-token": given };
      const body = JSON.stringify({ update_id: 1, message });
      return fetch(`http://127.0.0.1:${gateway?.port}${path}`, { method: "POST", headers, body });
    };
    assert.is((await bring("let me in", "wrong")).status, 401);
    for (let time = 0; time < 3; time++) assert.is((await bring("brought three times", secret)).status, 200);
    await until(
      "an answer",
      () => double.messages.find(({ seen }) => seen.includes(said("brought three times"))),
      wait,
    );
    await gateway.stop();
    assert.is(double.messages.length, 1);
    assert.equal(double.problems, []);
  } finally {
    gateway?.child.kill("SIGKILL");
    await network.close();
    rmSync(home, { recursive: true, force: true });
  }
});

function starter(home: string, network: TelegramServer, settings: object): () => Promise<GatewayProcess> {
  const config = {
    gateway: { mode: "local", auth: { mode: "token", token: "a-token-of-this-test" } },
    session: { dmScope: "per-channel-peer" },
    channels: { telegram: { botToken: network.double.token, apiRoot: network.url, ...settings } },
  };
  let isFirst = true;
  return () => {
    const given = isFirst ? { config } : {};
    isFirst = false;
    // Kills in a row are what this is about, and no sign that the gateway cannot start.
    return startGateway({ home, args: [], env: { OPENCLAW_SAFE_MODE: "off" }, ...given });
  };
}

/** What the built-in model answers. */
function said(text: string): string {
  return `You said: ${text}`;
}

test.run();
