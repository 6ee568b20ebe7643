import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as uvuTest } from "uvu";
import * as assert from "uvu/assert";
import { clock } from "../../adapters/machine/clock.ts";
import { files } from "../../adapters/machine/files.ts";
import { processes } from "../../adapters/machine/processes.ts";
import { createBrowsers, type Browser, type BrowserSettings, type Browsers } from "../../src/browser/browser.ts";
import type { Surroundings } from "../../src/host/host.ts";
import { createLogger } from "../../src/kit/log.ts";
import { browser as tool } from "../../src/tools/browser.ts";
import type { ToolContext, ToolResult } from "../../src/tools/tool.ts";
import { chromium } from "../support/chromium.ts";
import { until } from "../support/gateway-process.ts";

// With a real Chromium, which is spoken to as the gateway does.
const test: (name: string, run: () => Promise<void>) => void =
  chromium === undefined ? (name, run) => uvuTest.skip(name, run) : uvuTest;
if (chromium === undefined) process.stdout.write("skipped: needs chromium\n");

const pages: Readonly<Record<string, string>> = {
  "/": `<title>Shop</title><h1>Welcome</h1>
    <form action="/done"><label>Name <input name="n" value="old"></label>
    <select name="c"><option value="a">Apple<option value="b">Pear</select>
    <label><input type="checkbox" name="k">Agree</label><button>Send</button></form>
    <a href="/other">Other page</a><input type="file" aria-label="Upload">
    <script>console.log("hello", 5); document.querySelector("[type=file]").onchange = (event) => {
      event.target.files[0].text().then((text) => { document.title = "given " + text; }); };</script>`,
  "/done": `<title>Done</title><p id="p"></p><script>p.textContent = "Got " + location.search</script>`,
  "/other": `<title>Other</title><button onclick="document.title = confirm('Sure?') ? 'sure' : 'unsure'">Ask</button>
    <button onclick="setTimeout(() => document.body.append('late words'), 300)">Later</button>`,
  "/frames": `<title>Frames</title><iframe src="/inner"></iframe><iframe src="http://localhost:PORT/secret"></iframe>
    <script>fetch("http://localhost:PORT/secret", { mode: "no-cors" }).then(() => document.title = "reached",
      () => document.title = "refused")</script>`,
  "/inner": `<button>Inside</button>`,
  "/popup": `<title>Popup</title><button onclick="open('http://localhost:PORT/secret')">Open</button>`,
  "/secret": `<title>Secret</title><h1>Secret words</h1>`,
};

interface Ground {
  readonly at: string;
  readonly browser: Browser;
  readonly asked: string[];
  /** Calls the tool as a model does; answers its text. */
  readonly use: (params: Record<string, unknown>) => Promise<string>;
  readonly result: (params: Record<string, unknown>) => Promise<ToolResult>;
  readonly folder: string;
}

async function withBrowser(run: (ground: Ground) => Promise<void>, ssrf = ["127.0.0.1"]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-browser-"));
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    asked.push(`${request.headers.host?.split(":")[0]}${request.url}`);
    if (request.url === "/away") {
      response.writeHead(302, { location: `http://localhost:${port}/secret` }).end();
      return;
    }
    const page = pages[new URL(request.url ?? "/", "http://x").pathname];
    response.writeHead(page === undefined ? 404 : 200, { "content-type": "text/html" });
    response.end(page?.replaceAll("PORT", String(port)));
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const settings: BrowserSettings = {
    enabled: true,
    executablePath: chromium,
    headless: true,
    noSandbox: true,
    ssrfPolicy: { dangerouslyAllowPrivateNetwork: false, allowedHostnames: ssrf },
  };
  const host = { os: process.platform, env: process.env, clock, files, processes, net: {} } as unknown as Surroundings;
  const log = createLogger(() => clock.now(), []);
  const browsers: Browsers = createBrowsers({ host, log, folder: join(folder, "profiles"), settings: () => settings });
  const browser = browsers.of("main");
  const context = { files, workspace: folder, closed: [], sessionKey: "agent:main:main", agentId: "main", browser };
  const result = (params: Record<string, unknown>): Promise<ToolResult> =>
    tool.run(params as Parameters<typeof tool.run>[0], context as unknown as ToolContext);
  try {
    assert.ok(await browsers.available());
    await run({
      at: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      browser,
      asked,
      folder,
      result,
      async use(params) {
        const [part] = (await result(params)).content;
        return part?.type === "text" ? part.text : "";
      },
    });
  } finally {
    await browsers.close();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The reference that an outline gives something. */
function refOf(outline: string, what: string): string {
  const line = outline.split("\n").find((each) => each.includes(what)) ?? "";
  return /\[ref=(e\d+)\]/.exec(line)?.[1] ?? `no ref of ${what} in ${outline}`;
}

const fails = async (work: Promise<unknown>, words: string): Promise<void> => {
  assert.match(await work.then(() => "it worked", String), words);
};

test("SC-022 an agent opens a page, reads it, fills in a form and sees what came of it", () =>
  withBrowser(async ({ at, use, result }) => {
    assert.match(await use({ action: "status" }), "is not running");
    const shop = await use({ action: "open", targetUrl: `${at}/` });
    assert.match(shop, `Page t1: ${at}/\n<page>\nShop\n`);
    assert.match(shop, '- heading "Welcome"');
    await use({ action: "act", kind: "type", ref: refOf(shop, "textbox"), text: "Ann & Bob" });
    await use({ action: "act", kind: "select", ref: refOf(shop, "combobox"), values: ["Pear"] });
    const filled = await use({ action: "act", kind: "click", ref: refOf(shop, "checkbox") });
    assert.match(filled, 'value: "Ann & Bob"');
    assert.match(filled, "[checked=true]");
    const done = await use({ action: "act", kind: "click", ref: refOf(filled, "Send") });
    assert.match(done, `text: Got ?n=Ann+%26+Bob&c=b&k=on`);
    await fails(use({ action: "act", kind: "click", ref: refOf(filled, "Send") }), "take a new one");
    assert.match(await use({ action: "console" }), "log: hello 5");
    const picture = await result({ action: "screenshot" });
    assert.match(JSON.stringify(picture.content), /"image\/png","data":"iVBOR/);
    assert.match(await use({ action: "tabs" }), `t1 (in use) ${at}/done`);
    await use({ action: "close" });
    await fails(use({ action: "snapshot" }), "no page is open");
  }));

test("questions of a page are answered as was said before, late words are waited for, keys are pressed", () =>
  withBrowser(async ({ at, use }) => {
    const other = await use({ action: "open", targetUrl: `${at}/other` });
    assert.match(await use({ action: "act", kind: "click", ref: refOf(other, "Ask") }), "unsure");
    await use({ action: "dialog", accept: true });
    assert.match(await use({ action: "act", kind: "press", key: "Enter" }), "\nsure");
    assert.match(await use({ action: "console" }), "confirm: Sure? (answered no)");
    await use({ action: "act", kind: "click", ref: refOf(other, "Later") });
    assert.match(await use({ action: "act", kind: "wait", text: "late words", timeMs: 10_000 }), "late words");
    await fails(use({ action: "act", kind: "press", key: "Hyper+x" }), 'there is no key "Hyper+x"');
    await fails(use({ action: "act", kind: "wait", text: "never", timeMs: 1 }), "does not show that text");
  }));

test("a page becomes a file of the workspace, and a file of it is given to a page; nothing outside is", () =>
  withBrowser(async ({ at, use, folder }) => {
    const shop = await use({ action: "open", targetUrl: `${at}/` });
    assert.match(await use({ action: "pdf", path: "shop.pdf" }), "The page is in shop.pdf");
    assert.is(readFileSync(join(folder, "shop.pdf"), "latin1").slice(0, 5), "%PDF-");
    await fails(use({ action: "pdf", path: "shop.pdf" }), "there already");
    writeFileSync(join(folder, "note.txt"), "words");
    const ref = refOf(shop, "Upload");
    await use({ action: "upload", ref, path: "note.txt" });
    assert.match(await use({ action: "act", kind: "wait", timeMs: 200 }), "given words");
    await fails(use({ action: "upload", ref, path: "../../etc/passwd" }), "Failure");
    await fails(use({ action: "pdf", path: "/tmp/outside.pdf" }), "Failure");
  }));

test("threat N neither a model nor a page gets the browser to what only this machine can reach", () =>
  withBrowser(async ({ at, use, asked }) => {
    const local = at.replace("127.0.0.1", "localhost");
    await fails(use({ action: "open", targetUrl: `${local}/secret` }), "in a private network");
    await fails(use({ action: "navigate", targetUrl: "file:///etc/passwd" }), "file addresses are not opened");
    await fails(use({ action: "open", targetUrl: `${at}/away` }), "ERR_BLOCKED_BY_CLIENT");
    await use({ action: "open", targetUrl: `${at}/frames` });
    const tried = async () => /refused|reached/.exec(await use({ action: "snapshot" }))?.[0];
    assert.is(await until("the page's request to end", tried), "refused");
    assert.match(await use({ action: "snapshot" }), '- button "Inside"');
    const popup = await use({ action: "open", targetUrl: `${at}/popup` });
    await use({ action: "act", kind: "click", ref: refOf(popup, "Open") });
    assert.not.match(await use({ action: "tabs" }), "Secret");
    assert.equal(
      asked.filter((each) => each.includes("secret")),
      [],
    );
  }));

test("a browser that was killed is started again, with what it knew", () =>
  withBrowser(async ({ at, use, browser }) => {
    const first = await use({ action: "open", targetUrl: `${at}/` });
    assert.match(first, "Page t1");
    const { send } = await browser.tab();
    await send("Runtime.evaluate", { expression: "document.cookie = 'kept=1; max-age=3600'" });
    await browser.stop();
    assert.not.ok(browser.running);
    await use({ action: "open", targetUrl: `${at}/` });
    const tab = await browser.tab();
    const { result } = await tab.send("Runtime.evaluate", { expression: "document.cookie" });
    assert.match(JSON.stringify(result), "kept=1");
    tab.send("Browser.crash").catch(() => undefined);
    await fails(tab.send("Runtime.evaluate", { expression: "1" }), "the browser has ended");
    assert.match(await use({ action: "open", targetUrl: `${at}/other` }), "Other");
  }));

uvuTest.run();
