import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { whatsapp } from "../../src/channels/whatsapp.ts";
import type { Failure } from "../../src/kit/error.ts";
import { channelContract } from "../contract/channel.ts";
import { scriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";
import { accountTests, failure } from "../support/networks/account.ts";
import { person, signIn, whatsappDouble } from "../support/networks/whatsapp.ts";
import { call } from "../support/networks/webhook-caller.ts";

channelContract("SC-021 whatsapp", {
  kind: async () => whatsapp,
  network: whatsappDouble,
});

const { it } = accountTests(whatsapp, whatsappDouble);
const to = { to: person };

it("a message says who wrote it by lasting ids, and where an answer goes", async ({ double, context, channel }) => {
  await double.tell({ type: "text", text: { body: "hi" }, context: { id: "wamid.x", from: "1555" } }, channel);
  const [message] = context.received;
  assert.equal(message?.sender, { id: person, name: "Ann", aliases: [`+${person}`] });
  assert.equal(message?.peer, { kind: "direct", id: person, name: "Ann" });
  assert.equal([message?.to, message?.quoted, message?.at], [to, { id: "wamid.x", sender: "1555" }, 1795219200000]);
});

it("answers to buttons, places and contacts are read as text", async ({ double, context, channel }) => {
  await double.tell({ type: "button", button: { text: "Yes", payload: "1" } }, channel);
  await double.tell(
    { type: "interactive", interactive: { type: "list_reply", list_reply: { id: "1", title: "Tea" } } },
    channel,
  );
  await double.tell({ type: "location", location: { latitude: 1.5, longitude: 2, name: "Home" } }, channel);
  await double.tell(
    { type: "contacts", contacts: [{ name: { formatted_name: "Bob" }, phones: [{ phone: "+1 555" }] }] },
    channel,
  );
  const texts = context.received.map(({ text }) => text);
  assert.equal(texts, ["Yes", "Tea", "[location] Home, 1.5, 2", "[contact] Bob +1 555"]);
});

it("reactions, other numbers of the app and messages of no known form are passed over", async ({
  double,
  context,
  channel,
}) => {
  assert.is(
    (await double.tell({ type: "reaction", reaction: { message_id: "wamid.x", emoji: "👍" } }, channel)).status,
    200,
  );
  assert.is((await double.tell({ type: "text", text: { body: "hi" } }, channel, { number: "2" })).status, 200);
  assert.is((await double.tell({ type: "text", text: "no object" }, channel)).status, 200);
  assert.is((await double.tell({ type: "text", text: { body: "hi" }, from: "" }, channel)).status, 200);
  assert.equal(context.received, []);
});

it("threat K what is not signed with the app's secret is refused", async ({ double, context, channel }) => {
  for (const secret of ["", "another"])
    assert.is((await double.tell({ type: "text", text: { body: "hi" } }, channel, { secret })).status, 401);
  const bare = new Request("https://us.example/whatsapp/webhook", { method: "POST", body: "{}" });
  assert.is((await call(channel, bare)).status, 401);
  assert.equal(context.received, []);
});

test("threat K an account without one of its secrets does not open, and says what it needs", async () => {
  for (const missing of Object.keys(signIn)) {
    const { context } = scriptedContext();
    const given = v.parse(whatsapp.settings, { ...signIn, [missing]: " ", selfChatMode: true, authDir: "x" });
    const { code, message = "" } = await failure(whatsapp.open(given, context));
    assert.is(code, "config");
    assert.match(message, `channels.whatsapp.${missing}`);
    assert.match(message, /QR code.*is not supported/);
  }
});

it("Meta is told that the address is ours only for the right word", async ({ channel }) => {
  const asked = async (token: string, challenge = "1158201444"): Promise<Response> => {
    const query = new URLSearchParams({
      "hub.mode": "subscribe",
      "hub.verify_token": token,
      "hub.challenge": challenge,
    });
    return call(channel, new Request(`https://us.example/whatsapp/webhook?${query}`));
  };
  assert.is(await (await asked(signIn.verifyToken)).text(), "1158201444");
  assert.is((await asked("wrong")).status, 403);
  assert.is((await asked("")).status, 403);
  assert.is((await asked(signIn.verifyToken, "<script>")).status, 403);
});

it("Markdown is shown in WhatsApp's marks", async ({ double, channel, context }) => {
  const text = "# Head\n**bold** *it* ~~no~~ `**c**`\n- one [site](https://a.example/x)";
  await channel.send(to, { text, replyTo: "wamid.x" }, { key: "k", signal: context.context.signal });
  assert.is(double.sent[0], "*Head*\n*bold* _it_ ~no~ `**c**`\n• one site (https://a.example/x)");
  assert.equal(double.messages[0].context, { message_id: "wamid.x" });
});

it("a picture goes with the text under it, and a film's loss does not send it twice", async ({
  double,
  channel,
  context,
}) => {
  const media = [
    { data: new Uint8Array([1]), mimeType: "image/png", fileName: "a.png" },
    { data: new Uint8Array([2]), mimeType: "application/pdf", fileName: "b.pdf" },
  ];
  const sending = (): Promise<unknown> =>
    channel.send(to, { text: "see", media }, { key: "k", signal: context.context.signal });
  double.failLater(503, 131016);
  assert.is((await failure(sending())).code, "unavailable");
  await sending();
  assert.equal(double.messages, [
    { to: person, type: "image", image: { id: "uploaded-a.png", caption: "see" } },
    { to: person, type: "document", document: { id: "uploaded-b.pdf", filename: "b.pdf" } },
  ]);
});

it("a file is fetched from Meta's places alone, and never more than is wanted", async ({
  double,
  context,
  channel,
}) => {
  await double.tell({ type: "image", image: { id: "media-1", mime_type: "image/jpeg", caption: "look" } }, channel);
  const [file] = context.received[0]?.attachments ?? [];
  const { signal } = context.context;
  assert.is(context.received[0]?.text, "look");
  assert.is(new TextDecoder().decode(await file?.load({ maxBytes: 7, signal })), "picture");
  const refused = async (maxBytes: number): Promise<unknown> => (await failure(file?.load({ maxBytes, signal }))).code;
  assert.is(await refused(6), "invalid-request");
  const asked = context.requests.length;
  for (const url of [
    "https://fbsbx.com.evil.example/",
    "http://lookaside.fbsbx.com/",
    "https://127.0.0.1/",
    "nonsense",
  ]) {
    double.fileUrl = url;
    assert.is(await refused(7), "invalid-request");
  }
  assert.ok(context.requests.slice(asked).every(({ url }) => url.origin === "https://graph.facebook.com"));
});

it("Meta's errors say whether to wait, to give up, or to call a person", async ({ double, channel, context }) => {
  const outcome = async (status: number, code: number): Promise<Partial<Failure>> => {
    double.fail(status, code);
    const options = { key: "k", signal: context.context.signal };
    return failure(channel.send(to, { text: "hi" }, options));
  };
  assert.is((await outcome(400, 130429)).code, "rate-limited");
  assert.is((await outcome(400, 80007)).code, "rate-limited");
  assert.is((await outcome(500, 131000)).code, "timeout");
  const late = await outcome(400, 131047);
  assert.is(late.code, "forbidden");
  assert.match(late.message ?? "", /24 hours/);
  assert.is((await outcome(401, 190)).code, "unauthorized");
  await settle();
  assert.is(context.states.at(-1)?.state, "failed");
});

it("typing shows the last message as read; a reaction is set and taken away", async ({ double, channel }) => {
  await channel.typing?.(to);
  assert.equal(double.messages, []);
  await double.tell({ type: "text", text: { body: "hi" }, id: "wamid.last" }, channel);
  await channel.typing?.(to);
  await channel.react?.(to, "wamid.last", "👍");
  await channel.react?.(to, "wamid.last", "");
  assert.equal(double.messages, [
    { status: "read", message_id: "wamid.last", typing_indicator: { type: "text" } },
    { to: person, type: "reaction", reaction: { message_id: "wamid.last", emoji: "👍" } },
    { to: person, type: "reaction", reaction: { message_id: "wamid.last", emoji: "" } },
  ]);
});

test("a number is understood however it is written, and nothing else is", () => {
  for (const written of ["+1 (555) 123-4567", "whatsapp:15551234567", "15551234567@s.whatsapp.net"])
    assert.equal(whatsapp.target(written), to);
  for (const written of ["", "ann", "+0", "120363@g.us", "../me"])
    assert.throws(() => whatsapp.target(written), /\+15551234567/);
});

test.run();
