import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeHome, runCommand, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";

const config = { gateway: { mode: "local", auth: { mode: "token", token: "a-token-of-this-test" } } };
const home = makeHome();
const folder = join(home, ".openclaw", "credentials");
let gateway: GatewayProcess;

/** What an installation of another gateway left: somebody waits, and somebody else was let in. */
test.before(async () => {
  const createdAt = new Date().toISOString();
  const meta = { username: "ada", accountId: "default" };
  const requests = [{ id: "123456789", code: "QRSTUV23", createdAt, lastSeenAt: createdAt, meta }];
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "telegram-pairing.json"), JSON.stringify({ version: 1, requests }), { mode: 0o600 });
  writeFileSync(join(folder, "telegram-allowFrom.json"), JSON.stringify({ version: 1, allowFrom: ["42"] }));
  gateway = await startGateway({ home, config, args: [] });
});
test.after(async () => {
  await gateway.stop();
  endLaunched();
  rmSync(home, { recursive: true, force: true });
});

const pairing = (...args: readonly string[]) => runCommand(["pairing", ...args], home);

test("2.10 who waited at another gateway is listed, approved by the code, and let in once", async () => {
  const list = await pairing("list", "telegram");
  assert.match(list.stdout, /^Code .*\nQRSTUV23 +telegram +default +123456789 +ada +\S+/);
  const wrong = await pairing("approve", "telegram", "QRSTUV24");
  assert.equal([wrong.status, wrong.stdout], [1, ""]);

  const approved = await pairing("approve", "telegram", "QRSTUV23", "--notify");
  assert.equal([approved.status, approved.stdout], [0, "✓ Approved telegram sender 123456789.\n"]);
  assert.match(approved.stderr, "was not told");
  const path = join(folder, "telegram-allowFrom.json");
  assert.equal(JSON.parse(readFileSync(path, "utf8")).allowFrom, ["42", "123456789"]);
  assert.is(statSync(path).mode & 0o777, 0o600);

  assert.is((await pairing("approve", "telegram", "QRSTUV23")).status, 1);
  assert.is((await pairing("list", "telegram")).stdout, "No pending telegram pairing requests.\n");
});

test.run();
