import { test } from "uvu";
import * as assert from "uvu/assert";
import type { PresenceEntry } from "../../src/app.ts";
import { createPresence } from "../../src/gateway/presence.ts";
import { VERSION } from "../../src/kit/version.ts";
import { scriptedCaller } from "../support/app.ts";
import { scriptedHost } from "../support/host.ts";
import { checkEvent, checkResult } from "../support/official.ts";

function setUp() {
  const host = scriptedHost({
    hostname: "box",
    interfaces: [{ name: "eth0", address: "192.0.2.2", family: 4, internal: false }],
  });
  const told: (readonly PresenceEntry[])[] = [];
  return { host, told, presence: createPresence(host, (entries) => void told.push(entries)) };
}

const client = (more: object = {}) => ({ id: "openclaw-macos", version: "1", platform: "macos", mode: "ui", ...more });

test("the gateway itself comes first", () => {
  const [self] = setUp().presence.list();
  assert.is(self?.text, `Gateway: box (192.0.2.2) · app ${VERSION} · mode gateway · reason self`);
  assert.is(self?.mode, "gateway");
});

test("who connects is listed, newest first, and stays listed when it leaves", () => {
  const { presence } = setUp();
  const mac = scriptedCaller({ connId: "1", deviceId: "a", client: client({ displayName: "Mac" }) });
  const phone = scriptedCaller({ connId: "2", deviceId: "b", client: client({ displayName: "Phone" }) });
  presence.client(mac, "connect");
  presence.client(phone, "connect");
  assert.equal(
    presence.list().map((entry) => entry.host),
    ["box", "Phone", "Mac"],
  );
  presence.client(mac, "disconnect");
  assert.equal(
    presence.list().map((entry) => `${entry.host} ${entry.reason}`),
    ["box self", "Mac disconnect", "Phone connect"],
  );
  checkResult("system-presence", presence.list());
});

test("an app with two windows is one entry, and gone with the second", () => {
  const { presence } = setUp();
  const window = (connId: string) => scriptedCaller({ connId, deviceId: "a", client: client({ instanceId: "i" }) });
  presence.client(window("1"), "connect");
  presence.client(window("2"), "connect");
  presence.client(window("1"), "disconnect");
  assert.equal(
    presence.list().map((entry) => entry.reason),
    ["self", "connect"],
  );
  presence.client(window("2"), "disconnect");
  assert.is(presence.list()[1]?.reason, "disconnect");
});

test("SC-102 the person whom Tailscale or a proxy vouches for is shown, fit for a terminal", () => {
  const { presence } = setUp();
  const user = { id: "ada@example.com", name: "Ada\u001b[2J" };
  presence.client(scriptedCaller({ deviceId: "a", client: client(), user }), "connect");
  assert.equal(presence.list()[1]?.user, { id: "ada@example.com", name: "Ada [2J" });
  checkResult("system-presence", presence.list());
});

test("threat C nobody takes another device's place by its name", () => {
  const { presence } = setUp();
  const claim = (connId: string, deviceId: string) =>
    scriptedCaller({ connId, deviceId, client: client({ instanceId: "same" }) });
  presence.client(claim("1", "victim"), "connect");
  presence.client(claim("2", "thief"), "connect");
  presence.set("device:victim:same", { ts: 0, text: "" });
  assert.ok(presence.list().some((entry) => entry.deviceId === "victim" && entry.reason === "connect"));
});

test("those who left are forgotten after five minutes, those who are here are not", async () => {
  const { presence, host } = setUp();
  const gone = scriptedCaller({ connId: "1", deviceId: "a", client: client() });
  presence.client(gone, "connect");
  presence.client(scriptedCaller({ connId: "2", deviceId: "b", client: client() }), "connect");
  presence.client(gone, "disconnect");
  await host.clock.advance(5 * 60_000 + 1);
  assert.equal(
    presence.list().map((entry) => entry.deviceId),
    [undefined, "b"],
  );
});

test("threat H the list is bounded, and those who left make room first", () => {
  const { presence } = setUp();
  const caller = (n: number) => scriptedCaller({ connId: String(n), deviceId: `d${n}`, client: client() });
  presence.client(caller(0), "connect");
  for (let n = 1; n <= 300; n++) {
    presence.client(caller(n), "connect");
    presence.client(caller(n), "disconnect");
  }
  assert.is(presence.list().length, 201);
  assert.ok(presence.list().some((entry) => entry.deviceId === "d0"));
});

test("a burst of changes raises the version each time and is told once", async () => {
  const { presence, told, host } = setUp();
  const { version } = presence;
  for (let n = 0; n < 10; n++)
    presence.client(scriptedCaller({ connId: String(n), deviceId: `d${n}`, client: client() }), "connect");
  assert.is(presence.version, version + 10);
  await host.clock.advance(50);
  assert.is(told.length, 1);
  checkEvent("presence", { presence: told[0] });
});

test("a name cannot steer a terminal or fill a screen", () => {
  const { presence } = setUp();
  const displayName = `\u001b[2J\n\u202e${"x".repeat(5000)}`;
  presence.client(scriptedCaller({ deviceId: "a", client: client({ displayName }) }), "connect");
  const text = presence.list()[1]?.text ?? "";
  assert.not.match(text, /[\p{Cc}\p{Cf}]/u);
  assert.ok(text.length < 400);
});

test.run();
