import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { clock } from "../../adapters/machine/clock.ts";
import { connect } from "../../adapters/machine/connect.ts";
import type { Channel } from "../../src/channels/channel.ts";
import { irc } from "../../src/channels/irc.ts";
import { Failure } from "../../src/kit/error.ts";
import { type IrcLine, ircLine, ircLines, parseIrcLine } from "../../src/kit/irc-line.ts";
import { makeCertificate } from "../../src/tls/certificate.ts";
import { type ScriptedContext, scriptedContext } from "../support/channel-context.ts";
import { freePort, makeHome, startGateway } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";

const program = ["/usr/sbin/ngircd", "/usr/bin/ngircd", "/usr/local/sbin/ngircd"].find(
  (path) => spawnSync(path, ["--version"]).status !== null,
);
if (program === undefined) {
  test("IRC with a real server", () => void process.stdout.write("skipped: needs ngircd\n"));
} else {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-irc-"));
  const [plain, secured] = [await freePort(), await freePort()];
  const pair = await makeCertificate({ names: ["localhost"], addresses: ["127.0.0.1"], now: Date.now() });
  const { fingerprint256 } = new X509Certificate(pair.cert);
  const server = startServer(program, folder, { plain, secured, pair });
  const settings = {
    host: "127.0.0.1",
    port: secured,
    fingerprint: fingerprint256,
    nick: "clawbot",
    password: "letmein",
  };

  test("a message comes in over TLS from a real server, and the answer arrives there", () =>
    withAccount({ ...settings, channels: ["#room"] }, async ({ channel, context }) => {
      const alice = await openClient(plain, "alice");
      alice.say("JOIN", "#room");
      await alice.heard(({ command, params }) => command === "366" && params[1] === "#room");
      alice.say("PRIVMSG", "#room", "clawbot: grüezi");
      alice.say("PRIVMSG", "clawbot", "\x01ACTION waves\x01");
      await until(() => context.received.length === 2);
      const [inRoom, direct] = context.received;
      assert.equal([inRoom?.text, inRoom?.mentioned, inRoom?.peer.id], ["clawbot: grüezi", true, "#room"]);
      assert.equal([direct?.text, direct?.to], ["* alice waves", { to: "alice" }]);
      assert.match(direct?.sender.id ?? "", /^alice!~?alice@/);

      const words = `line one\n${"ü😀".repeat(100)}\nQUIT :no`;
      const sent = await channel.send(irc.target("#room"), { text: words }, sending("k"));
      assert.ok(sent.id);
      const said = (): string =>
        alice.lines
          .filter(({ command, source }) => command === "PRIVMSG" && source.startsWith("clawbot!"))
          .map(({ params }) => params[1])
          .join("");
      await until(() => said().endsWith("QUIT :no"));
      assert.is(said(), words.replaceAll("\n", ""));
      alice.close();
    }));

  test("SC-027 a gateway answers in a channel of a real server, again after it was killed, and lets no stranger in", async () => {
    const home = makeHome();
    const channels = { irc: { ...settings, nick: "gatebot", channels: ["#gate"], groups: { "#gate": {} } } };
    const config = { agents: { defaults: { model: "clawlet/echo" } }, channels };
    const alice = await openClient(plain, "gate-alice");
    const hears = (text: string): Promise<void> =>
      alice.heard(
        ({ command, source, params }) =>
          command === "PRIVMSG" && source.startsWith("gatebot!") && (params[1] ?? "").includes(text),
      );
    alice.say("JOIN", "#gate");
    try {
      for (const round of ["one", "two"]) {
        alice.lines.length = 0;
        const gateway = await startGateway({ home, ...(round === "one" ? { config } : {}) });
        await alice.heard(({ command, source }) => command === "JOIN" && source.startsWith("gatebot!"));
        alice.say("PRIVMSG", "#gate", `gatebot: round ${round}`);
        await hears(`round ${round}`);
        if (round === "one") {
          alice.say("PRIVMSG", "gatebot", "let me in");
          await hears("Your pairing code");
        }
        await gateway.stop("SIGKILL");
        await alice.heard(({ command, source }) => command === "QUIT" && source.startsWith("gatebot!"));
      }
    } finally {
      alice.close();
      rmSync(home, { recursive: true, force: true });
    }
  });

  test("what a real server refuses is told as such, and a nick that is taken is gone round", async () => {
    const squatter = await openClient(plain, "clawbot");
    await withAccount(settings, async ({ channel, context }) => {
      const self = context.states.at(-1);
      assert.equal(self?.state === "ready" && self.self?.id, "clawbot_");
      for (const [to, code] of [
        ["nobody-here", "not-found"],
        ["#nowhere", "not-found"],
      ] as const) {
        const error = await channel
          .send(irc.target(to), { text: "hello" }, sending(to))
          .then(() => undefined, failureOf);
        assert.is(error?.code, code, error?.message);
      }
      assert.is((await channel.probe?.(new AbortController().signal))?.id, "clawbot_");
    });
    squatter.close();
  });

  test("a password that a real server does not take is for a person to put right", async () => {
    const context = realContext();
    const channel = await irc.open(v.parse(irc.settings, { ...settings, password: "wrong" }), context.context);
    await until(() => context.states.at(-1)?.state === "failed");
    await channel.close();
  });

  test.after(endLaunched);
  test.after(async () => {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
}

const failureOf = (error: unknown): Failure => Failure.from(error);
const sending = (key: string) => ({ key, signal: new AbortController().signal });

function realContext(): ScriptedContext {
  const scripted = scriptedContext();
  return { ...scripted, context: { ...scripted.context, clock, net: { connect } } };
}

async function withAccount(
  settings: object,
  prove: (opened: { channel: Channel; context: ScriptedContext }) => Promise<void>,
): Promise<void> {
  const context = realContext();
  const channel = await irc.open(v.parse(irc.settings, settings), context.context);
  try {
    await until(() => context.states.at(-1)?.state === "ready");
    await prove({ channel, context });
  } finally {
    await channel.close();
  }
}

function startServer(
  path: string,
  folder: string,
  { plain, secured, pair }: { plain: number; secured: number; pair: { cert: string; key: string } },
): ChildProcess {
  const place = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const config = place(
    "ngircd.conf",
    `[Global]
Name = irc.test.example
AdminInfo1 = a test
Listen = 127.0.0.1
Ports = ${plain}
Password = letmein
[Limits]
MaxConnectionsIP = 0
MaxNickLength = 30
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = ${place("cert.pem", pair.cert)}
KeyFile = ${place("key.pem", pair.key)}
Ports = ${secured}
`,
  );
  return spawn(path, ["--nodaemon", "--config", config], { stdio: "ignore" });
}

/** Another person at the server. */
async function openClient(port: number, nick: string) {
  const lines: IrcLine[] = [];
  await reachable(port);
  const socket = connectPlain(port, "127.0.0.1");
  const say = (command: string, ...params: string[]): void => void socket.write(`${ircLine(command, ...params)}\r\n`);
  const push = ircLines((text) => {
    const line = parseIrcLine(text);
    if (line?.command === "PING") return say("PONG", line.params[0] ?? "");
    if (line) lines.push(line);
  });
  socket.on("data", (data: Uint8Array) => push(data));
  socket.on("error", () => undefined); // the server is ended first
  const heard = (fits: (line: IrcLine) => boolean): Promise<void> => until(() => lines.some(fits));
  say("PASS", "letmein");
  say("NICK", nick);
  say("USER", nick, "0", "*", nick);
  await heard(({ command }) => command === "376" || command === "422");
  return { lines, say, heard, close: () => socket.destroy() };
}

function reachable(port: number): Promise<void> {
  const tried = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connectPlain(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
  return until(tried);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within 30 s: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test.run();
