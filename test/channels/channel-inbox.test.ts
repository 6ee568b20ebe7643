import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Inbound } from "../../src/channels/channel.ts";
import { createInbox, takeIn } from "../../src/channels/channel-inbox.ts";
import { Failure } from "../../src/kit/error.ts";
import { scriptedContext } from "../support/channel-context.ts";
import { settle } from "../support/fake-clock.ts";

const full = new Failure("unavailable", "the disk is full");
const message = (id: string): Inbound => ({
  id,
  peer: { kind: "direct", id: "alice" },
  sender: { id: "alice" },
  text: id,
  mentioned: true,
  to: { to: "alice" },
  at: 1,
});

test("messages are taken in in order, and offered again until they are", async () => {
  const scripted = scriptedContext();
  const { context, clock, received } = scripted;
  const inbox = createInbox(context);
  scripted.refuse(full);
  for (const id of ["a", "b", "c"]) await inbox.put(message(id));
  await clock.advance(10_000);
  assert.equal(received, []);
  scripted.refuse(undefined);
  await clock.advance(60_000);
  assert.equal(
    received.map(({ id }) => id),
    ["a", "b", "c"],
  );
  assert.is(clock.armed, 0);
});

test("there is room for so many, and whoever brings more waits", async () => {
  const scripted = scriptedContext();
  const { context, clock, received } = scripted;
  const inbox = createInbox(context);
  scripted.refuse(full);
  let put = 0;
  const all = (async () => {
    for (; put < 150; put++) await inbox.put(message(String(put)));
  })();
  await clock.advance(5000);
  assert.is(put, 99);
  scripted.refuse(undefined);
  await clock.advance(60_000);
  await all;
  await settle();
  assert.is(received.length, 150);
});

test("the end of the account is the end of the waiting", async () => {
  const scripted = scriptedContext();
  const { context, clock, received } = scripted;
  scripted.refuse(full);
  const code = takeIn(context, message("a")).then(
    () => "taken",
    (error: unknown) => Failure.from(error).code,
  );
  await clock.advance(3000);
  scripted.end();
  assert.is(await code, "aborted");
  assert.is(clock.armed, 0);
  assert.equal(received, []);
});

test.run();
