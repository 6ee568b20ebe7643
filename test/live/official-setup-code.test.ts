import { test } from "uvu";
import * as assert from "uvu/assert";
import { runCommand, startGateway, until, type GatewayProcess } from "../support/gateway-process.ts";
import { checkEvent, checkHello, checkResult } from "../support/official.ts";
import { connectOfficial, makeDevice, type TokenShelf } from "../support/official-client.ts";
import { endLaunched } from "../support/launch.ts";

const token = "a-token-of-this-test";
const config = { gateway: { mode: "local", auth: { mode: "token", token } } };
const node = { clientName: "node-host", mode: "node", role: "node", scopes: [] as string[] } as const;
let gateway: GatewayProcess;

test.before(async () => {
  gateway = await startGateway({ config, args: [] });
});
test.after(async () => {
  await gateway.stop();
  endLaunched();
});

test("the official client comes in by a setup code, keeps its token and comes back with it", async () => {
  const owner = await connectOfficial({
    url: gateway.url,
    token,
    clientName: "cli",
    mode: "cli",
    scopes: ["operator.admin"],
  });
  const made = await setupCode("--no-ascii");
  assert.equal([made.access, made.auth, made.urlSource], ["full", "token", "publicUrl"]);
  const content = JSON.parse(Buffer.from(made.setupCode, "base64url").toString());
  assert.is(content.url, gateway.url);

  const device = makeDevice();
  const shelf: TokenShelf = new Map();
  const offered = { caps: ["system"], commands: ["system.notify"] };
  const first = await connectOfficial({
    ...node,
    ...offered,
    url: content.url,
    bootstrapToken: content.bootstrapToken,
    device,
    shelf,
  });
  checkHello(first.hello);
  const { auth } = first.hello;
  assert.equal([auth.role, auth.scopes, auth.deviceToken?.length, auth.deviceTokens?.length], ["node", [], 43, 1]);
  assert.is(shelf.get("node")?.token, auth.deviceToken);
  const [operator] = auth.deviceTokens ?? [];
  assert.equal(
    [operator?.role, operator?.scopes],
    [
      "operator",
      [
        "operator.admin",
        "operator.approvals",
        "operator.questions",
        "operator.read",
        "operator.talk.secrets",
        "operator.write",
      ],
    ],
  );

  const told = await until("event of the code's end", () =>
    owner.events.find(({ event }) => event === "device.pair.setup.completed"),
  );
  checkEvent("device.pair.setup.completed", told.payload);
  const resolved = owner.events.find(({ event }) => event === "node.pair.resolved")?.payload as { decision?: string };
  assert.is(resolved.decision, "approved", "what the node offers at first is approved with it");
  const status = (await owner.client.request("device.pair.setupStatus", { setupId: made.setupId })) as {
    completion?: { deviceId?: string };
  };
  checkResult("device.pair.setupStatus", status);
  assert.is(status.completion?.deviceId, device.deviceId);
  await first.stop();

  const again = await connectOfficial({ ...node, ...offered, url: gateway.url, device, shelf });
  assert.is(again.hello.auth.role, "node");
  await again.stop();
  const asOperator: TokenShelf = new Map([
    ["operator", { token: operator?.deviceToken ?? "", scopes: ["operator.read"] }],
  ]);
  const ui = await connectOfficial({
    url: gateway.url,
    clientName: "openclaw-ios",
    mode: "ui",
    scopes: ["operator.read"],
    device,
    shelf: asOperator,
  });
  assert.equal(ui.hello.auth.scopes, ["operator.read"]);
  await ui.stop();
  await owner.stop();
});

test("the official client is told that a setup code is used, and stops trying", async () => {
  const { bootstrapToken } = JSON.parse(Buffer.from((await setupCode()).setupCode, "base64url").toString());
  const first = await connectOfficial({ ...node, url: gateway.url, bootstrapToken, device: makeDevice() });
  await first.stop();
  const late = await connectOfficial({ ...node, url: gateway.url, bootstrapToken, device: makeDevice() }).then(
    () => "let in",
    (error: Error) => error.message,
  );
  assert.match(late, "setup code invalid, used or expired");
});

test("qr prints a code for a person, and a gateway that only this machine reaches has none to give", async () => {
  const printed = await runCommand(["qr", "--url", gateway.url], gateway.home);
  assert.is(printed.status, 0);
  assert.match(printed.stdout, /^█+\n[^]*\nSetup code: {2}[\w-]+\nGateway: /);
  const refused = await runCommand(["qr"], gateway.home);
  assert.equal([refused.status, refused.stdout], [1, ""]);
  assert.match(refused.stderr, "Gateway is only bound to loopback.");
});

async function setupCode(...more: readonly string[]) {
  const { stdout } = await runCommand(["qr", "--json", "--url", gateway.url, ...more], gateway.home);
  return JSON.parse(stdout) as Record<"setupId" | "setupCode" | "access" | "auth" | "urlSource", string>;
}

test.run();
