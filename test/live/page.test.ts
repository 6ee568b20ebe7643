import { test } from "uvu";
import * as assert from "uvu/assert";
import { startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { form, shipped } from "../support/runtime.ts";

let gateway: GatewayProcess;
let address = "";

test.before(async () => {
  gateway = await startGateway();
  address = gateway.url.replace(/^ws/, "http");
});
test.after(async () => {
  await gateway.stop();
  endLaunched();
});

test("the page comes with the program, in whichever form that is, and everything that it names is there", async () => {
  const response = await fetch(address);
  assert.equal([response.status, response.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  assert.match(response.headers.get("content-security-policy") ?? "", "script-src 'self'");
  const named = [...(await response.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name = ""]) => name);
  assert.equal(named.map((name) => name.replace(/-[A-Z0-9]{8}\./, ".")).sort(), [
    "assets/icon.svg",
    "assets/main.js",
    "assets/style.css",
    "manifest.webmanifest",
  ]);
  for (const name of named) {
    const part = await fetch(`${address}/${name}`);
    assert.is(part.status, 200, name);
    assert.ok((await part.text()).length > 100, name);
    if (name.startsWith("assets/")) assert.match(part.headers.get("cache-control") ?? "", "immutable");
  }
});

test("it is small, and smaller on its way", async () => {
  const index = await (await fetch(address)).text();
  const names = [...index.matchAll(/"(assets\/[^"]+\.(?:js|css))"/g)].map(([, name]) => name);
  let [plain, packed] = [0, 0];
  for (const name of names) {
    plain += (await (await fetch(`${address}/${name}`, { headers: { "accept-encoding": "identity" } })).arrayBuffer())
      .byteLength;
    const sent = await fetch(`${address}/${name}`, { method: "HEAD", headers: { "accept-encoding": "gzip" } });
    assert.is(sent.headers.get("content-encoding"), "gzip");
    packed++;
  }
  assert.is(packed, 2);
  assert.ok(plain < 85_000, `${plain} bytes`);
});

test("threat G where the page cannot be read, who asks hears what to do, and no path of this machine", async () => {
  const root = "/nowhere/a-private-folder";
  const token = "a-token-that-nobody-can-guess-0123456789";
  const config = { gateway: { mode: "local", auth: { token }, controlUi: { root } } };
  const without = await startGateway({ config, args: [] });
  const response = await fetch(without.url.replace(/^ws/, "http"));
  const text = await response.text();
  assert.is(response.status, 503);
  assert.match(text, /^The web page cannot be served; the gateway's log says why\.\nRun `npm run build`/);
  assert.not.match(text, "private");
  assert.match(without.stderr() + without.stdout(), `${root} has no index.html`);
  await without.stop();
});

if (form === "package")
  test("a program that embeds the gateway reads the same page", async () => {
    const { readPage } = await import(`${shipped}/installed/node_modules/clawlet/dist/node.js`);
    const files: ReadonlyMap<string, Uint8Array> = await readPage();
    assert.is(new TextDecoder().decode(files.get("index.html")), await (await fetch(address)).text());
  });

test.run();
