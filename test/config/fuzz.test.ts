import { test } from "uvu";
import * as assert from "uvu/assert";
import { startGatewayServer } from "../../src/boot.ts";
import type { ConfigSnapshot } from "../../src/config/config.ts";
import { describeKeys } from "../../src/config/describe.ts";
import { valueAt } from "../../src/config/path.ts";
import { openConfig } from "../../src/config/file.ts";
import { validate } from "../../src/config/validate.ts";
import type { Exposure } from "../../src/gateway/exposure.ts";
import { prepareGateway } from "../../src/gateway/foreground.ts";
import { flavours } from "../../src/host/flavour.ts";
import type { NetInterface } from "../../src/host/host.ts";
import { pathsOf } from "../../src/host/paths.ts";
import { codes, Failure } from "../../src/kit/error.ts";
import { createLogger } from "../../src/kit/log.ts";
import { makeCertificate } from "../../src/tls/certificate.ts";
import { type Mutant, mutate } from "../support/config-mutation.ts";
import { fullConfig, planted } from "../support/full-config.ts";
import { scriptedHost, type ScriptedHost } from "../support/host.ts";
import { connectFrame, reachWithoutPort } from "../support/no-port.ts";
import { runtime } from "../support/runtime.ts";

// The configuration is read by the same code everywhere: one runtime tries all, the others begin like it.
const cases = runtime === "bun" ? 10_000 : 1_000;
/** Another one finds other things; this one is printed and kept, so that a failure comes again. */
const seed = 20_261_121;
/** Every so often the gateway is really opened, and asked. */
const openedEach = 100;

/** What the full configuration says where its certificates are. */
const pair = await makeCertificate({ names: ["localhost"], addresses: [], now: scriptedHost().clock.now() });
const certificates = { "/home/me/cert.pem": pair.cert, "/home/me/key.pem": pair.key, "/home/me/ca.pem": pair.cert };

const full = fullConfig((config) => validate(config).issues.map(({ path }) => path));

test("the configuration that is mutated has every key of the schema", () => {
  const isThere = (path: string): boolean =>
    path.split(".").reduce<unknown>((value, step) => {
      if (step === "*") return Array.isArray(value) ? value[0] : valueAt(value, ["one"]);
      return valueAt(value, [step]);
    }, full) !== undefined;
  const missing = describeKeys().filter(({ path }) => !isThere(path));
  assert.equal(
    missing.map(({ path }) => path),
    [],
  );
});

test(`${cases} configurations gone wrong: the gateway comes up on loopback or says why not, and is never open (seed ${seed})`, async () => {
  const seen = { started: 0, refused: 0, opened: 0, beyond: 0 };
  for (let number = 0; number < cases; number++) {
    const mutant = mutate(full, seed + number * 7919);
    try {
      await withDeadline(tryOut(mutant, number % openedEach === 0, seen));
    } catch (error) {
      const text = JSON.stringify(mutant.text.slice(0, 400));
      throw new Error(`case ${number} of seed ${seed} (${mutant.what}): ${String(error)}\n${text}`, { cause: error });
    }
  }
  // A fuzzer that is always turned away at the door has tried nothing.
  assert.ok(seen.started > cases / 5, JSON.stringify(seen));
  assert.ok(seen.refused > cases / 10, JSON.stringify(seen));
  assert.ok(seen.beyond > cases / 100, JSON.stringify(seen));
  assert.ok(seen.opened > cases / openedEach / 5, JSON.stringify(seen));
});

test("threat M: what the environment gave is not repeated when it stands where it is wrong", async () => {
  const text = '{ gateway: { mode: "local", port: "${KEY}", controlUi: { enabled: ["${KEY}"] } } }';
  const messages = await complaints(text, { KEY: planted });
  assert.is(messages.length, 2);
  noSecret(messages);
  assert.match(messages[0] ?? "", /is "\$\{\.\.\.\}"; set it to a port number/);
});

test("a name to include that no system has is not repeated at its whole length", async () => {
  const [message = ""] = await complaints(`{ ui: { $include: "${"x".repeat(100_000)}" } }`);
  assert.match(message, /\$include is "xxx/);
  assert.ok(message.length < 200, message);
});

test("a file that cannot be read as a whole is called <root> in the refusal", async () => {
  const host = scriptedHost({ files: { "/home/me/.clawdbot/clawdbot.json": "{ gateway: " } });
  const place = { host, flavour: flavours.clawdbot, paths: pathsOf(host, flavours.clawdbot, ""), program: "clawdbot" };
  const failure = await prepareGateway(place, flags).then(
    () => undefined,
    (error: unknown) => Failure.from(error),
  );
  assert.match(failure?.message ?? "", /^Gateway start blocked: <root>: JSON5 parse failed/);
});

async function complaints(text: string, env: Record<string, string> = {}): Promise<readonly string[]> {
  const host = scriptedHost({ files: { "/home/me/.clawdbot/clawdbot.json": text }, env });
  const log = createLogger(() => host.clock.now(), []);
  const config = await openConfig(host, flavours.clawdbot, pathsOf(host, flavours.clawdbot, ""), log);
  return config.current().issues.map(({ message }) => message);
}

const flags = {
  exposure: {},
  port: undefined,
  allowUnconfigured: false,
  dev: false,
  reset: false,
  force: false,
  verbose: false,
  wsLog: "auto",
  claudeCli: false,
  tailscaleResetOnExit: false,
  rawStream: false,
  rawStreamPath: undefined,
  json: false,
  logLevel: undefined,
} as const;

const interfaces: readonly NetInterface[] = [
  { name: "lo", address: "127.0.0.1", family: 4, internal: true },
  { name: "lo", address: "::1", family: 6, internal: true },
  { name: "eth0", address: "192.168.1.5", family: 4, internal: false },
  { name: "tailscale0", address: "100.100.1.1", family: 4, internal: false },
];

async function tryOut(
  { text, files, gatewayIsSound }: Mutant,
  open: boolean,
  seen: Record<string, number>,
): Promise<void> {
  const host = scriptedHost({
    name: "clawdbot",
    files: { ...certificates, ...files, "/home/me/.clawdbot/clawdbot.json": text },
    env: { GIVEN: "given", GIVEN_SECRET: `${planted}-from-environment` },
    interfaces,
  });
  const paths = pathsOf(host, flavours.clawdbot, "");
  let prepared: Awaited<ReturnType<typeof prepareGateway>>;
  try {
    prepared = await prepareGateway({ host, flavour: flavours.clawdbot, paths, program: "clawdbot" }, flags);
  } catch (error) {
    seen["refused"] = (seen["refused"] ?? 0) + 1;
    return checkRefusal(error, gatewayIsSound);
  }
  seen["started"] = (seen["started"] ?? 0) + 1;
  const { config } = prepared.options;
  const snapshot = config.current();
  const exposure = prepared.options.expose();
  if ("lines" in exposure) throw new Error(`it was prepared, and then refused: ${exposure.lines.join(" ")}`);
  if (!exposure.addresses.every(isLoopback)) seen["beyond"] = (seen["beyond"] ?? 0) + 1;
  checkExposure(exposure, snapshot);
  const { value, issues, warnings, unknownKeys, disabled } = snapshot;
  noSecret({ issues, warnings, unknownKeys, disabled, value: config.redacted(value) });
  noSecret(config.redacted(snapshot.source));
  for (const issue of issues) assert.ok(issue.message.length > 5 && issue.message.length < 4000, issue.message);
  if (open) {
    seen["opened"] = (seen["opened"] ?? 0) + 1;
    await openAndAsk(host, prepared.options, exposure);
  }
  await prepared.abandon(new Failure("aborted", "the end of a case"));
  noSecret([host.terminal.stdout.text, host.terminal.stderr.text, await host.files.read(paths.log)]);
}

/** A refusal is a Failure with status 78 and a sentence, for one of the reasons that there are. */
function checkRefusal(error: unknown, gatewayIsSound: boolean): void {
  if (!(error instanceof Failure)) throw error;
  assert.is(error.code, "config", error.message);
  assert.is(codes[error.code].exit, 78);
  const said = [error.message, ...error.hints].join("\n");
  assert.ok(
    reasons.some((reason) => reason.test(error.message)),
    `refused for a reason of its own: ${said}`,
  );
  assert.not.match(said, /undefined|\[object/);
  assert.not.ok(gatewayIsSound, `refused though its gateway section is sound: ${said}`);
  noSecret(said);
}

/** Why a gateway may not start (cli.md 4): the whole file, who may reach it, who gets in, and that it is for this machine. */
const reasons = [
  /^Gateway start blocked: (<root>|gateway): \S/,
  /^Gateway start blocked: gateway\.(bind|customBindHost|auth|tailscale|trustedProxies|tls|nodes)\b[^:]*: \S/,
  /^Gateway start blocked: set gateway\.mode=local/,
  /^Refusing to bind gateway to (lan|tailnet|custom) without auth\.$/,
  /^Refusing to publish gateway through tailscale serve without auth\.$/,
  /^Gateway auth is (ambiguous: |set to (token|password|trusted-proxy), but no )/,
  /^Gateway bind is set to custom, but gateway\.customBindHost /,
  /tailscale (serve\/funnel|funnel) (requires|has no client certificate)/,
  /^gateway\.tls: \S/,
];

/** By what is listened on and how callers prove themselves alone: whoever is beyond loopback must have to prove it. */
function checkExposure({ addresses, authMode, token, password }: Exposure, { value }: ConfigSnapshot): void {
  assert.ok(addresses.length > 0, "it listens nowhere");
  if (addresses.every(isLoopback)) return;
  const { trustedProxies, auth } = value.gateway;
  const isProven: Readonly<Record<string, boolean>> = {
    token: (token ?? "").trim() !== "",
    password: (password ?? "").trim() !== "",
    "trusted-proxy": trustedProxies.length > 0 && (auth.trustedProxy?.userHeader ?? "").trim() !== "",
  };
  assert.ok(isProven[authMode], `open to ${addresses.join(", ")} with auth ${authMode}`);
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^127\.\d+\.\d+\.\d+$/.test(address);
}

/** Opens the gateway on the scripted machine and asks it what is wrong, as a client on loopback. */
async function openAndAsk(
  host: ScriptedHost,
  options: Parameters<typeof startGatewayServer>[0],
  { authMode, token, password }: Exposure,
): Promise<void> {
  const gateway = await startGatewayServer(options);
  try {
    assert.ok(gateway.addresses.some(isLoopback) || gateway.addresses.includes("0.0.0.0"), "not on loopback");
    if (authMode === "trusted-proxy") return; // whoever comes straight in is turned away
    const { upgrade } = reachWithoutPort({ host, gateway });
    const { client, response } = await upgrade();
    if (!client) throw new Error(`refused: ${await response.text()}`);
    client.send(connectFrame({ scopes: ["operator.admin"], auth: { token, password } }));
    const hello = await client.answer("c");
    if (!hello.ok) throw new Error(JSON.stringify(hello));
    for (const method of ["health", "config.get"]) client.send({ type: "req", id: method, method, params: {} });
    const [health, got] = [await client.answer("health"), await client.answer("config.get")];
    assert.ok(health.ok, JSON.stringify(health));
    assert.ok(got.ok, JSON.stringify(got));
    noSecret([health, got]);
    const { issues } = options.config.current();
    assert.is(got.payload.valid, issues.length === 0);
    assert.equal(
      got.payload.issues.map(({ path }: { path: string }) => path),
      issues.map(({ path }) => path),
    );
  } finally {
    await gateway.close("the end of a case");
  }
}

function noSecret(told: unknown): void {
  const text = typeof told === "string" ? told : (JSON.stringify(told) ?? "");
  const at = text.indexOf(planted);
  if (at >= 0) throw new Error(`a secret is told: ${text.slice(Math.max(0, at - 200), at + 60)}`);
}

/** What waits for something that never comes is told from what is slow. */
async function withDeadline(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it hangs")), 20_000);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

test.run();
