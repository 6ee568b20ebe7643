import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type GatewayProcess, makeHome, startGateway } from "../support/gateway-process.ts";
import { ending, type Introduction, introduce, makeDevice, outcome, type Session } from "../support/hostile/session.ts";
import { endLaunched } from "../support/launch.ts";

const homes: string[] = [];
process.once("exit", () => {
  endLaunched();
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** Where a secret comes from, and how its owner changes it there while the gateway runs. */
const sources: readonly Source[] = [
  { name: "the token in the configuration", kind: "token", written: (secret) => secret, place: "openclaw.json" },
  { name: "the password in the configuration", kind: "password", written: (secret) => secret, place: "openclaw.json" },
  { name: "the token in .env", kind: "token", written: () => "${REVOKED_SECRET}", place: ".env" },
  { name: "the password in .env", kind: "password", written: () => "${REVOKED_SECRET}", place: ".env" },
];

interface Source {
  readonly name: string;
  readonly kind: "token" | "password";
  /** What stands in the configuration for a secret. */
  written(secret: string): string;
  readonly place: "openclaw.json" | ".env";
}

for (const source of sources)
  test(`threat E ${source.name} is changed: who came in by it is cut, and it opens nothing more`, async () => {
    const { gateway, change, target } = await running(source);
    const [old, fresh] = [{ [source.kind]: secrets.old }, { [source.kind]: secrets.fresh }];
    const device = makeDevice();
    const guests = [await introduce(target, { auth: old }), await introduce(target, { auth: old, device })];
    const deviceToken: string = guests[1]?.hello.auth.deviceToken;
    const own = await introduce(target, { device, auth: { deviceToken } });
    const ends = guests.map(({ socket }) => ending(socket));
    change(secrets.fresh);
    for (const end of await Promise.all(ends)) assert.is(end, "closed 4001 gateway auth changed");
    assert.is(await outcome(target, { auth: old }), `AUTH_${source.kind.toUpperCase()}_MISMATCH, closed 1008`);
    assert.is(await outcome(target, { auth: fresh }), "let in with [operator.admin]");
    // A device has proved itself by a token of its own, which did not change.
    assert.is((await own.call("health")).ok, true);
    await own.leave();
    await gateway.stop();
  });

for (const [how, method, params] of [
  ["revoked", "device.token.revoke", { role: "operator" }],
  ["rotated", "device.token.rotate", { role: "operator" }],
  ["removed", "device.pair.remove", {}],
] as const)
  test(`threat E what a device has already sent is not answered once its token is ${how}`, async () => {
    const { gateway, target } = await running(sources[0] as Source);
    const device = makeDevice();
    const auth = { token: secrets.old };
    const first = await introduce(target, { auth, device });
    const wish: Introduction = { device, auth: { deviceToken: first.hello.auth.deviceToken } };
    await first.leave();
    const [owner, guest] = [await introduce(target, { auth }), await introduce(target, wish)];
    // Reading stops at so many unanswered requests: the rest waits before the gateway, and in it.
    const questions = Array.from({ length: 400 }, (_, index) => request(`before-${index}`));
    for (const question of questions) guest.socket.send(question);
    const { ok } = await owner.call(method, { deviceId: device.id, ...params });
    assert.is(ok, true);
    // The owner has been told that it is done: from here on nothing of the device counts.
    guest.socket.send(request("after"));
    assert.not.ok((await rest(guest)).includes('"id":"after"'));
    assert.is(await ending(guest.socket), "closed 4001 device removed");
    assert.is(await outcome(target, wish), "AUTH_DEVICE_TOKEN_MISMATCH, closed 1008");
    await owner.leave();
    await gateway.stop();
  });

test("threat E a kill right after the revocation does not bring the token back", async () => {
  const home = makeHome();
  const { gateway, target } = await running(sources[0] as Source, home);
  const device = makeDevice();
  const auth = { token: secrets.old };
  const owner = await introduce(target, { auth, device });
  const wish: Introduction = { device, auth: { deviceToken: owner.hello.auth.deviceToken } };
  const admin = await introduce(target, { auth });
  await admin.call("device.token.revoke", { deviceId: device.id, role: "operator" });
  await gateway.stop("SIGKILL");
  const again = await startGateway({ home, args: [] });
  assert.is(await outcome({ url: again.url }, wish), "AUTH_DEVICE_TOKEN_MISMATCH, closed 1008");
  await again.stop();
});

const secrets = { old: "the-secret-of-yesterday", fresh: "the-secret-of-today" } as const;

async function running(source: Source, home = makeHome()) {
  homes.push(home);
  const config = (secret: string) => ({
    gateway: { mode: "local", auth: { mode: source.kind, [source.kind]: source.written(secret) }, reload: fast },
  });
  const state = join(home, ".openclaw");
  const write = (secret: string): void => {
    const text = source.place === ".env" ? `REVOKED_SECRET=${secret}\n` : JSON.stringify(config(secret));
    // As an editor does it: there is no moment without the file, or with half of it.
    writeFileSync(join(state, `${source.place}.new`), text, { mode: 0o600 });
    renameSync(join(state, `${source.place}.new`), join(state, source.place));
  };
  mkdirSync(state, { mode: 0o700 });
  if (source.place === ".env") write(secrets.old);
  const gateway: GatewayProcess = await startGateway({ home, args: [], config: config(secrets.old) });
  return { gateway, change: write, target: { url: gateway.url } };
}

const fast = { debounceMs: 0 } as const;

function request(id: string): string {
  return JSON.stringify({ type: "req", id, method: "health", params: {} });
}

/** Everything that still comes over a socket until it ends. */
async function rest({ socket }: Session): Promise<string> {
  const frames: string[] = [];
  for (let frame = await socket.next(); frame !== undefined; frame = await socket.next()) frames.push(frame);
  return frames.join("\n");
}

test.run();
