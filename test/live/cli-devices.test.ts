import { test } from "uvu";
import * as assert from "uvu/assert";
import { runCommand, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { connectOfficial, makeDevice, type DeviceKeys, type TokenShelf } from "../support/official-client.ts";
import { endLaunched } from "../support/launch.ts";

const token = "a-token-of-this-test";
// No device is let in without being asked about, not even one of this machine.
const nodes = { pairing: { autoApproveLocal: false } };
const config = { gateway: { mode: "local", auth: { mode: "token", token }, nodes } };
let gateway: GatewayProcess;

test.before(async () => {
  gateway = await startGateway({ config, args: [] });
});
test.after(async () => {
  await gateway.stop();
  endLaunched();
});

const devices = (...args: readonly string[]) => runCommand(["devices", ...args], gateway.home);

test("a device that asks is listed, approved, named, and comes back with a token of its own", async () => {
  const device = makeDevice();
  const shelf: TokenShelf = new Map();
  const requestId = await ask(device);
  const { stdout } = await devices("list");
  assert.match(stdout, /^Pending \(1\)\nRequest +Device +Role +Scopes +From +Asked\n/);
  assert.match(stdout, new RegExp(`${requestId} .* operator +operator\\.read `));
  assert.match(stdout, "Paired (0)\n");

  assert.equal(await devices("approve", requestId), { status: 0, stdout: `✓ Approved ${requestId}.\n`, stderr: "" });
  const first = await connectOfficial({ ...wish(device), token, shelf });
  await first.stop();
  assert.ok(shelf.get("operator")?.token);
  const again = await connectOfficial({ ...wish(device), shelf });
  await again.stop();

  assert.is((await devices("rename", device.deviceId, "Kitchen tablet")).stdout, "✓ Renamed it to Kitchen tablet.\n");
  const list = (await devices("list")).stdout;
  assert.match(list, /^Paired \(1\)\nDevice +Name +Roles +Scopes +Seen\n/);
  assert.match(list, "Kitchen tablet");
  assert.match(list, device.deviceId);
});

test("a device that is rejected stays out, and a request is answered once", async () => {
  const device = makeDevice();
  const requestId = await ask(device);
  assert.is((await devices("reject", requestId)).stdout, `✓ Rejected ${requestId}.\n`);
  const late = await devices("approve", requestId);
  assert.match(late.stderr, `${requestId}\nSee: clawlet devices list\n`);
  assert.equal([late.stdout, late.status], ["", 1]);
  assert.ok((await refusal(device)) instanceof Error);
});

test("rotate and revoke end the connections of a device's token, remove forgets the device", async () => {
  const device = makeDevice();
  await devices("approve", await ask(device));
  for (const change of ["rotate", "revoke"]) {
    const connected = await connectOfficial({ ...wish(device), token });
    const done = await devices(change, device.deviceId);
    assert.match(done.stdout, new RegExp(`^✓ \\w+ the operator token of ${device.deviceId}\\.\n$`));
    const { code } = await connected.closed;
    assert.ok(code >= 1000, change);
    await connected.stop();
  }
  assert.ok((await refusal(device)) instanceof Error, "a revoked device asks again");
  assert.is((await devices("remove", device.deviceId)).status, 0);
  assert.not.match((await devices("list")).stdout.split("Paired")[1] ?? "", device.deviceId);
});

test("an unknown id is an error on stderr, and JSON with --json", async () => {
  const { status, stdout, stderr } = await devices("remove", "nobody");
  assert.equal([status, stdout], [1, ""]);
  assert.match(stderr, /unknown .*: nobody\nSee: clawlet devices list\n$/);
  const { ok, error } = JSON.parse((await devices("remove", "nobody", "--json")).stdout);
  assert.equal([ok, typeof error.message], [false, "string"]);
});

function wish(device: DeviceKeys) {
  const client = { clientName: "openclaw-tui" as const, mode: "ui" as const, scopes: ["operator.read"] };
  return { url: gateway.url, device, ...client };
}

/** Connects as a device that is not known; answers the id of the request which that leaves. */
async function ask(device: DeviceKeys): Promise<string> {
  assert.match(String(await refusal(device)), "pairing required");
  const { pending } = JSON.parse((await devices("list", "--json")).stdout);
  return pending.find(({ deviceId }: { deviceId: string }) => deviceId === device.deviceId).requestId;
}

async function refusal(device: DeviceKeys): Promise<unknown> {
  try {
    const connected = await connectOfficial({ ...wish(device), token });
    await connected.stop();
    return undefined;
  } catch (error) {
    return error;
  }
}

test.run();
