import { test } from "uvu";
import * as assert from "uvu/assert";
import { createGateway, type EmbeddedGateway } from "../../src/embed.ts";

const token = "a-token-that-nobody-can-guess-0123456789";
const synology = {
  token: "from-synology",
  incomingUrl: "https://nas.example/webapi/entry.cgi?token=x",
  dmPolicy: "open",
};
const config = (channels: object = { "synology-chat": { ...synology, allowFrom: ["*"] } }) => ({
  gateway: { auth: { token } },
  agents: { defaults: { model: "clawlet/echo" } },
  channels,
});

test("an embedded gateway hears a network by the program's own port, and answers it by fetch", async () => {
  const posted: string[] = [];
  const fetching = (async (...given: ConstructorParameters<typeof Request>) => {
    posted.push(new URLSearchParams(await new Request(...given).text()).get("payload") ?? "");
    return Response.json({ success: true });
  }) as typeof fetch;
  const gateway = await createGateway({ config: config(), fetch: fetching });
  await until(async () => (await states(gateway)).join() === "synology-chat ready");
  const taken = await gateway.fetch(
    posting({ token: synology.token, user_id: "7", post_id: "1", text: "hello there" }),
  );
  assert.ok(taken.ok, `${taken.status}`);
  await until(async () => posted.some((body) => body.includes("hello there")));
  await gateway.close();
});

test("threat B a webhook that cannot prove to be the network is refused, and others are not there", async () => {
  const gateway = await createGateway({ config: config() });
  await until(async () => (await states(gateway)).join() === "synology-chat ready");
  const forged = { token: "guessed", user_id: "7", post_id: "1", text: "hello" };
  assert.is((await gateway.fetch(posting(forged))).status, 401);
  assert.is((await gateway.fetch(posting(forged, "/webhook/other"))).status, 404);
  assert.is((await gateway.fetch(posting(forged, "/webhook/synology/"))).status, 404);
  await gateway.configure(config({}));
  assert.is((await gateway.fetch(posting({ ...forged, token: synology.token }))).status, 404);
  await gateway.close();
});

function posting(form: Readonly<Record<string, string>>, path = "/webhook/synology"): Request {
  return new Request(`https://gateway.example${path}`, { method: "POST", body: new URLSearchParams(form) });
}

async function states(gateway: EmbeddedGateway): Promise<readonly string[]> {
  const client = await gateway.connect();
  const { channelAccounts } = await client.call("channels.status", {});
  client.close();
  return Object.entries(channelAccounts).flatMap(([id, accounts]) =>
    accounts.map((account) => `${id} ${String(account["healthState"])}`),
  );
}

/** Polls, for ten seconds at most. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error("it did not happen");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test.run();
