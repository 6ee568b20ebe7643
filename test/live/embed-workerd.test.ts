import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { until } from "../support/gateway-process.ts";
import { endLaunched, launch, type Running } from "../support/launch.ts";
import { browserIdentity, connectBrowser, type BrowserClient } from "../support/official-browser.ts";
import { bundleWorker, workerd } from "../support/workerd.ts";

const token = "the-token-of-this-example-0123456789";
const origin = "https://example.com";
const found = workerd();
const folder = mkdtempSync(join(tmpdir(), "clawlet-workerd-"));

if (found === undefined) {
  process.stdout.write("skipped: needs workerd (npm install workerd)\n");
  test("the workerd example", () => undefined);
} else {
  bundleWorker(folder);

  test("the official browser client chats with a gateway in a Durable Object, which keeps what was said", async () => {
    const first = await serve(found);
    const identity = await browserIdentity();
    const refused = await connectBrowser(first.url, { origin, token: "not-the-token", identity }).catch(
      (error: unknown) => String(error),
    );
    assert.match(JSON.stringify(refused), "unauthorized");

    // A new device waits until the program lets it in.
    const waiting = await connectBrowser(first.url, { origin, token, identity }).catch((error: unknown) =>
      String(error),
    );
    assert.match(JSON.stringify(waiting), "pairing required");
    assert.equal(await approve(first), { approved: 1 });

    const page = await connectBrowser(first.url, { origin, token, identity });
    const other = await connectBrowser(first.url, { origin, token, identity });
    assert.match(await say(page, "is anybody here?"), "is anybody here?");
    // Sockets of different requests live in one object: the other one heard it too.
    assert.match(await answerIn(other), "is anybody here?");
    for (const { client } of [page, other]) client.stop();

    await first.process.end("SIGKILL");
    const second = await serve(found);
    const again = await connectBrowser(second.url, { origin, token, identity });
    const history = await again.client.request("chat.history", { sessionKey: "main" });
    assert.match(JSON.stringify(history), "is anybody here?");
    again.client.stop();
    await second.process.end();
  });
}

test.after(() => {
  endLaunched();
  rmSync(folder, { recursive: true, force: true });
});

interface Served {
  readonly process: Running;
  readonly url: string;
}

async function serve(program: string): Promise<Served> {
  const args = ["serve", join(folder, "worker.capnp"), "--socket-addr=http=127.0.0.1:0", "--control-fd=1"];
  const directory = `--directory-path=state=${join(folder, "state")}`;
  const started = launch([...args, directory], folder, {
    program: [program],
    env: { GATEWAY_TOKEN: token, PAGE_ORIGIN: origin },
  });
  const port = await until(
    "listening socket",
    () => /"socket":"http","port":(\d+)/.exec(started.stdout())?.[1],
    20_000,
  );
  return { process: started, url: `ws://127.0.0.1:${port}` };
}

async function approve({ url }: Served): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${url.replace("ws", "http")}/approve`, { method: "POST", headers })).json();
}

async function say(page: BrowserClient, message: string): Promise<string> {
  await page.client.request("chat.send", { sessionKey: "main", message, idempotencyKey: crypto.randomUUID() });
  return answerIn(page);
}

/** The final answer as the page hears it. */
async function answerIn({ events }: BrowserClient): Promise<string> {
  return until("final answer", () =>
    events
      .map(({ event, payload }) => `${event} ${JSON.stringify(payload)}`)
      .find((text) => /^chat .*"final"/.test(text)),
  );
}

test.run();
