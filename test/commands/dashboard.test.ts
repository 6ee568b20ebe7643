import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway } from "../client/fake-gateway.ts";
import { home, run, token } from "./run.ts";

async function dashboard(gateway: object = {}, ...args: readonly string[]) {
  const config = JSON.stringify({ gateway: { mode: "local", auth: { token }, ...gateway } });
  const files = { ...home, "/home/me/.clawdbot/clawdbot.json": config };
  return run(["dashboard", ...args], { files, dial: fakeGateway().dial });
}

test("dashboard prints the address of the page with the token, alone on its line, and warns beside it", async () => {
  const { code, stdout, stderr } = await dashboard();
  assert.equal([code, stdout], [0, `http://127.0.0.1:18789/#token=${token}\n`]);
  assert.match(stderr, "whoever sees it may come in");
});

test("dashboard leaves the token out when asked, and opens nothing", async () => {
  const { code, stdout, stderr } = await dashboard({}, "--no-token", "--no-open");
  assert.equal([code, stdout, stderr], [0, "http://127.0.0.1:18789/\n", ""]);
  const json = await dashboard({}, "--no-token", "--json");
  assert.equal(JSON.parse(json.stdout), { url: "http://127.0.0.1:18789/", hasToken: false });
});

test("dashboard follows the port, the path and the encryption of the configuration", async () => {
  const { stdout } = await dashboard({ port: 19_001, controlUi: { basePath: "/chat" } }, "--no-token");
  assert.is(stdout, "http://127.0.0.1:19001/chat\n");
});

test("dashboard of another gateway is at its usual place, with the token that was given for it", async () => {
  const { stdout } = await dashboard({}, "--url", "wss://claw.example/ws", "--token", "a&b");
  assert.is(stdout, "https://claw.example/#token=a%26b\n");
});

test("dashboard says when there is no page, and when there is no gateway", async () => {
  const off = await dashboard({ controlUi: { enabled: false } });
  assert.is(off.code, 78);
  assert.match(off.stderr, "gateway.controlUi.enabled is false");
  assert.not.match(off.stdout, token);
  const away = await run(["dashboard"], { files: home });
  assert.is(away.code, 1);
  assert.not.match(away.stdout + away.stderr, token);
});

test.run();
