import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeCertificate } from "../../src/tls/certificate.ts";
import { freePort, makeHome, runCommand, startGateway, until } from "../support/gateway-process.ts";
import { endLaunched, launch } from "../support/launch.ts";
import { connectOfficial } from "../support/official-client.ts";

const token = "a-token-of-this-test";
const gateway = { mode: "local", auth: { mode: "token", token }, tls: { enabled: true } };
const config = { gateway, commands: { restart: true } };
const client = { token, clientName: "cli" as const, mode: "cli" as const, scopes: ["operator.read"] };
test.after(endLaunched);

const certOf = (home: string) => join(home, ".openclaw/gateway/tls/gateway-cert.pem");
const printed = (text: string) =>
  [...text.matchAll(/TLS certificate: sha256 (\S+)/g)].map(([, shown = ""]) => shown.replaceAll(":", ""));

test("cli.md 2.4 tls: the official client connects with the right pin, is refused with another, before and after a restart", async () => {
  const running = await startGateway({ config, args: [] });
  assert.match(running.url, "wss://");
  // It is a line after the one that says where the gateway listens.
  const fingerprint = await until("the fingerprint", () => printed(running.stdout())[0]);
  assert.is(new X509Certificate(readFileSync(certOf(running.home))).fingerprint256, spelled(fingerprint));
  assert.is(statSync(certOf(running.home)).mode & 0o777, 0o600);
  const attempt = async (pin: string) => {
    const connected = await connectOfficial({ url: running.url, ...client, tlsFingerprint: pin });
    assert.equal(connected.hello.auth.scopes, ["operator.read"]);
    await connected.stop();
  };
  const refusedWith = (pin: string) => attempt(pin).then(() => "in", String);
  await attempt(fingerprint);
  await attempt(spelled(fingerprint));
  assert.match(await refusedWith("00".repeat(32)), /fingerprint mismatch/);
  assert.match(await runCommand(["gateway", "restart", "--safe"], running.home).then(({ stdout }) => stdout), "✓");
  await until("the second fingerprint", () => printed(running.stdout()).length === 2);
  assert.equal(printed(running.stdout()), [fingerprint, fingerprint]);
  await attempt(fingerprint);
  assert.match(await refusedWith("00".repeat(32)), /fingerprint mismatch/);
  assert.is(await running.stop(), 0);
});

test("threat A: commands reach their own gateway by its certificate, and refuse another one", async () => {
  const running = await startGateway({ config, args: [] });
  const { home, port, url } = running;
  const health = await runCommand(["gateway", "health", "--json"], home);
  assert.is(health.status, 0, health.stderr);
  const [fingerprint = ""] = printed(running.stdout());
  const status = await runCommand(["gateway", "status", "--json"], home, { OPENCLAW_GATEWAY_PORT: String(port) });
  assert.is(JSON.parse(status.stdout).gateway.tlsSha256, fingerprint);
  assert.is(JSON.parse(status.stdout).rpc.ok, true, status.stdout);
  assert.match(JSON.parse(status.stdout).gateway.dashboardUrl, `https://127.0.0.1:${port}/`);

  const elsewhere = makeHome();
  const ask = (...args: string[]) =>
    runCommand(["gateway", "health", "--url", url, "--token", token, ...args], elsewhere);
  const unpinned = await ask();
  assert.is(unpinned.status, 1);
  assert.match(unpinned.stderr, `it is sha256 ${fingerprint}`);
  assert.match(unpinned.stderr, `pass --tls-fingerprint ${fingerprint}`);
  assert.not.ok(unpinned.stderr.includes(token));
  assert.is((await ask("--tls-fingerprint", `sha256:${spelled(fingerprint)}`)).status, 0);
  const wrong = await ask("--tls-fingerprint", "ab".repeat(32));
  assert.is(wrong.status, 1);
  assert.match(wrong.stderr, "not the pinned abab");
  const misspelt = await ask("--tls-fingerprint", "abc");
  assert.is(misspelt.status, 2);
  assert.match(misspelt.stderr, "--tls-fingerprint is not a SHA-256 fingerprint");
  const plain = await runCommand(["gateway", "health", "--url", url.replace("wss", "ws"), "--token", token], elsewhere);
  assert.match(plain.stderr, "one side speaks TLS and the other does not");
  assert.is(await running.stop(), 0);
});

test("files that were renewed are served from the next restart on, also to the commands", async () => {
  const home = makeHome();
  const [certPath, keyPath] = [join(home, "cert.pem"), join(home, "key.pem")];
  const renew = async (): Promise<string> => {
    const pair = await makeCertificate({ names: ["localhost"], addresses: ["127.0.0.1"], now: Date.now() });
    writeFileSync(certPath, pair.cert, { mode: 0o600 });
    writeFileSync(keyPath, pair.key, { mode: 0o600 });
    return new X509Certificate(pair.cert).fingerprint256.replaceAll(":", "").toLowerCase();
  };
  const first = await renew();
  const tls = { enabled: true, certPath, keyPath };
  const running = await startGateway({ home, config: { ...config, gateway: { ...gateway, tls } }, args: [] });
  const second = await renew();
  // The commands go by what is served, not by the file that nobody has read yet.
  assert.is((await runCommand(["gateway", "health"], home)).status, 0);
  assert.is((await runCommand(["gateway", "restart", "--safe"], home)).status, 0);
  await until("the second certificate", () => printed(running.stdout()).length === 2);
  assert.equal(printed(running.stdout()), [first, second]);
  assert.is((await runCommand(["gateway", "health"], home)).status, 0);

  writeFileSync(keyPath, "nothing");
  await runCommand(["gateway", "restart", "--safe"], home);
  await until("the refusal", () => /has no private key in it/.test(running.stderr()));
  assert.is((await runCommand(["gateway", "health"], home)).status, 0, "it goes on as before");
  assert.is(await running.stop(), 0);
});

test("cli.md 2.4 tls: with caPath only its clients get in, and this machine's commands, which have their own certificate", async () => {
  const home = makeHome();
  const make = () => makeCertificate({ names: [], addresses: [], now: Date.now(), usage: "client" });
  const [known, stranger] = await Promise.all([make(), make()]);
  writeFileSync(join(home, "ca.pem"), known.cert);
  const tls = { enabled: true, caPath: "~/ca.pem" };
  const running = await startGateway({ home, config: { ...config, gateway: { ...gateway, tls } }, args: [] });
  assert.is((await runCommand(["gateway", "health"], home)).status, 0);
  assert.is(statSync(join(home, ".openclaw/gateway/tls/local-client.pem")).mode & 0o777, 0o600);
  const answer = (shown: object) =>
    new Promise<string>((resolve) => {
      let text = "";
      const socket = connectTls({ host: "127.0.0.1", port: running.port, rejectUnauthorized: false, ...shown }, () =>
        socket.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"),
      );
      socket.on("data", (data: Buffer) => void (text += data.toString()));
      socket.on("error", () => undefined); // a refusal: what counts is that nothing was answered
      socket.on("close", () => resolve(text));
    });
  assert.match(await answer(known), "HTTP/1.1 200");
  assert.equal([await answer({}), await answer(stranger)], ["", ""]);

  const pin = await until("the fingerprint", () => printed(running.stdout())[0]);
  const elsewhere = ["gateway", "health", "--url", running.url, "--token", token, "--tls-fingerprint", pin];
  const refused = await runCommand(elsewhere, makeHome());
  assert.is(refused.status, 1);
  assert.match(refused.stderr, "only clients with a certificate that it knows");
  assert.match(refused.stderr, "Commands have one for the gateway of their own machine alone");

  // The gateway starts anew by itself, and asks nobody any more.
  writeFileSync(
    join(home, ".openclaw/openclaw.json"),
    JSON.stringify({ ...config, gateway: { ...gateway, tls: { enabled: true } } }),
  );
  await until("the second start", () => printed(running.stdout()).length === 2);
  assert.match(await answer({}), "HTTP/1.1 200");
  assert.is(await running.stop(), 0);
});

test("what cannot be served with is refused with 78 before anything is opened or ended", async () => {
  const home = makeHome();
  const state = join(home, ".openclaw");
  mkdirSync(state, { mode: 0o700 });
  const tls = { enabled: true, certPath: "~/cert.pem", keyPath: "~/key.pem" };
  writeFileSync(join(state, "openclaw.json"), JSON.stringify({ gateway: { ...gateway, tls } }), { mode: 0o600 });
  const port = await freePort();
  const refusedStart = launch(["gateway", "--port", String(port), "--force"], home);
  assert.is(await refusedStart.exited, 78);
  assert.match(refusedStart.stderr(), "gateway.tls: ~/cert.pem is not there");
  assert.match(refusedStart.stderr(), "Correct gateway.tls.certPath and keyPath");
  assert.not.ok(refusedStart.stdout().includes("force:"));
});

test("threat H: plain HTTP and noise on the TLS port, and connections that never shake hands, harm nobody", async () => {
  const running = await startGateway({ config, args: [] });
  const { port } = running;
  const idle = Array.from({ length: 300 }, (_, index) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined); // it is cut sooner or later
    if (index % 3 === 1) socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    if (index % 3 === 2) socket.write(Buffer.from([22, 3, 1, 2, 0, 1, 0, 1]));
    return socket;
  });
  await Promise.all(
    idle.map((socket) => new Promise((resolve) => socket.once(socket.connecting ? "connect" : "close", resolve))),
  );
  assert.is((await runCommand(["gateway", "health"], running.home)).status, 0);
  for (const socket of idle) socket.destroy();
  assert.is(await running.stop(), 0);
});

const hasOpenssl = spawnSync("openssl", ["version"]).error === undefined;
if (!hasOpenssl) process.stdout.write("skipped: needs openssl\n");
const withOpenssl = hasOpenssl ? test : (name: string, run: () => Promise<void>) => test.skip(name, run);
withOpenssl("cli.md 2.4 tls: nothing older than TLS 1.2 is spoken", async () => {
  const running = await startGateway({ config, args: [] });
  const speaks = (version: string): boolean => {
    const ciphers = version === "-tls1_1" ? ["-cipher", "DEFAULT@SECLEVEL=0"] : [];
    const where = ["s_client", "-connect", `127.0.0.1:${running.port}`];
    return spawnSync("openssl", [...where, version, ...ciphers], { input: "", timeout: 10_000 }).status === 0;
  };
  assert.equal(["-tls1_1", "-tls1_2", "-tls1_3"].map(speaks), [false, true, true]);
  assert.is(await running.stop(), 0);
});

const lan = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === "IPv4" && !each.internal)?.address;
if (lan === undefined) process.stdout.write("skipped: needs a network interface\n");
const withLan = lan === undefined ? (name: string, run: () => Promise<void>) => test.skip(name, run) : test;
withLan("a secret that travels in the clear is spoken of once, over TLS not at all", async () => {
  for (const enabled of [false, true]) {
    const open = { ...config, gateway: { ...gateway, bind: "lan", tls: { enabled } } };
    const running = await startGateway({ config: open, args: [] });
    const url = running.url.replace("127.0.0.1", lan ?? "");
    const pin = enabled
      ? ["--tls-fingerprint", await until("the fingerprint", () => printed(running.stdout())[0])]
      : [];
    const { stderr } = await runCommand(["gateway", "health", "--url", url, "--token", token, ...pin], running.home);
    assert.is(stderr.split("is not encrypted").length, enabled ? 1 : 2, stderr);
    assert.is(await running.stop(), 0);
  }
});

function spelled(fingerprint: string): string {
  return fingerprint.toUpperCase().match(/../g)?.join(":") ?? "";
}

test.run();
