import { test } from "uvu";
import * as assert from "uvu/assert";
import { createCleanup } from "../../src/kit/cleanup.ts";
import { codes, Failure } from "../../src/kit/error.ts";
import { createEvents } from "../../src/kit/events.ts";
import { fromBase64, randomToken, sha256Hex, toBase64Url, toHex } from "../../src/kit/ids.ts";
import { createLanes } from "../../src/kit/lanes.ts";
import { sameSecret } from "../../src/kit/secret.ts";
import { truncateUtf8, utf8Length } from "../../src/kit/text.ts";

test("a failure takes its wire code and whether to retry from the table", () => {
  const failure = new Failure("unavailable", "busy");
  assert.is(codes[failure.code].wire, "UNAVAILABLE");
  assert.is(failure.retryable, true);
  assert.is(new Failure("unavailable", "gone", { retryable: false }).retryable, false);
});

test("anything thrown becomes a failure and keeps its text", () => {
  const failure = new Failure("conflict", "taken");
  assert.is(Failure.from(failure), failure);
  assert.is(Failure.from(new DOMException("stop", "AbortError")).code, "aborted");
  assert.is(Failure.from(new TypeError("x is not y")).code, "internal");
  assert.is(Failure.from("just text").message, "just text");
});

test("undoing goes backwards, to the end, and reports the first error", async () => {
  const done: string[] = [];
  const cleanup = createCleanup();
  cleanup.add(() => void done.push("first"));
  cleanup.add(() => {
    throw new Error("stuck");
  });
  cleanup.add(async () => void done.push("last"));
  try {
    await cleanup.run();
    assert.unreachable();
  } catch (error) {
    assert.is(Failure.from(error).message, "stuck");
  }
  assert.equal(done, ["last", "first"]);
  await cleanup.run();
  assert.is(done.length, 2);
});

test("a listener that throws does not keep the others from hearing", () => {
  const heard: number[] = [];
  const errors: unknown[] = [];
  const events = createEvents<{ beat: number }>((error) => void errors.push(error));
  events.on("beat", () => {
    throw new Error("deaf");
  });
  const stop = events.on("beat", (count) => void heard.push(count));
  events.emit("beat", 1);
  stop();
  events.emit("beat", 2);
  assert.equal(heard, [1]);
  assert.is(errors.length, 2);
});

test("work of one key runs in turn, also after a failure; other keys do not wait", async () => {
  const lanes = createLanes();
  const order: string[] = [];
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const first = lanes.run("a", async () => {
    await gate;
    order.push("a1");
    throw new Error("failed");
  });
  const second = lanes.run("a", async () => void order.push("a2"));
  await lanes.run("b", async () => void order.push("b"));
  open();
  await first.catch(() => undefined);
  await second;
  assert.equal(order, ["b", "a1", "a2"]);
});

test("tokens are 43 characters of base64url, and never the same", () => {
  assert.match(randomToken(), /^[\w-]{43}$/);
  assert.is.not(randomToken(), randomToken());
});

test("base64 in either alphabet, padded or not, gives the same bytes", () => {
  const bytes = new Uint8Array([251, 255, 191, 0]);
  assert.is(toBase64Url(bytes), "-_-_AA");
  for (const text of ["-_-_AA", "+/+/AA==", "-_-_AA=="]) assert.equal(fromBase64(text), bytes);
  assert.is(fromBase64("not base64!"), undefined);
  assert.is(toHex(bytes), "fbffbf00");
});

test("SHA-256 is the standard's (FIPS 180-4)", async () => {
  assert.is(await sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("secrets are equal only when both are there and the same", async () => {
  assert.ok(await sameSecret("secret", "secret"));
  for (const [given, expected] of [
    ["secret", "Secret"],
    ["", ""],
    [undefined, undefined],
    ["x", undefined],
    ["", "x"],
  ])
    assert.not.ok(await sameSecret(given, expected));
});

test("text is cut between characters", () => {
  assert.is(truncateUtf8("añ🦞", 3), "añ");
  assert.is(truncateUtf8("añ🦞", 6), "añ");
  assert.is(truncateUtf8("añ🦞", 7), "añ🦞");
  assert.is(utf8Length("añ🦞"), 7);
});

test.run();
