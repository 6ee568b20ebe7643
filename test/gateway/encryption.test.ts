import { X509Certificate } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadEncryption } from "../../src/gateway/encryption.ts";
import { scriptedHost } from "../support/host.ts";
import { printed } from "../tailscale/recorded.ts";

const place = { state: "/home/me/.clawdbot" };
const tailscale0 = { name: "tailscale0", address: "100.101.102.103", family: 4, internal: false } as const;

/** What is in the certificate of a gateway on this machine, and how often `tailscale` was run for it. */
async function made(onTailnet: boolean, keep = true) {
  let asked = 0;
  const host = scriptedHost({
    interfaces: onTailnet ? [tailscale0] : [],
    commands: {
      tailscale: () => {
        asked++;
        return printed("running.json");
      },
    },
  });
  const tls = await loadEncryption({ host, paths: place }, { enabled: true, autoGenerate: true }, { keep });
  return { asked, names: new X509Certificate(tls?.cert ?? "").subjectAltName ?? "" };
}

test("the certificate that the gateway makes is for its name in the tailnet too, where it is in one", async () => {
  assert.match((await made(true)).names, ".ts.net");
  assert.equal([(await made(true)).asked, (await made(false)).asked], [1, 0]);
  assert.is((await made(true, false)).asked, 0, "a look asks nobody");
});

test("nothing is loaded where TLS is off", async () => {
  const host = scriptedHost();
  const settings = { enabled: false, autoGenerate: true };
  assert.is(await loadEncryption({ host, paths: place }, settings, { keep: true }), undefined);
  assert.equal(host.files.snapshot(), {});
});

test.run();
