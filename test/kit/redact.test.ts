import { test } from "uvu";
import * as assert from "uvu/assert";
import { isSecretKey, mask, redact } from "../../src/kit/redact.ts";

const secret = "Zq8vT3mK1xW5cB7nR2pL9sD4";
const hidden = [
  `token=${secret}`,
  `gateway --password ${secret}`,
  `OPENAI_API_KEY=${secret}`,
  `"accessToken":"${secret}"`,
  String.raw`{\"apiKey\":\"${secret}\"}`,
  `Authorization: Bearer ${secret}`,
  `curl -H bearer ${secret}`,
  `ws://host/?token=${secret}&x=1`,
  `https://me:${secret}@example.com/`,
  `sk-${secret}`,
  `ghp_${secret}`,
  `xoxb-${secret}`,
  `1234567890:${secret}${secret}`,
  `eyJ${secret}.${secret}.${secret}`,
  `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`,
];

for (const text of hidden) {
  test(`threat G: hides ${text.slice(0, 20).replaceAll("\n", " ")}...`, () => {
    assert.not.match(redact(text), new RegExp(secret.slice(6, -4)));
  });
}

test("ordinary text stays", () => {
  for (const text of ["token mismatch", "totalTokens=12", "listening on ws://127.0.0.1:18789", "see https://a.b/c:d"])
    assert.is(redact(text), text);
});

test("a key's name is enough", () => {
  assert.is(redact("1234", "gateway.auth.password"), "***");
  assert.ok(isSecretKey("botToken"));
  assert.ok(isSecretKey("private_key"));
  assert.not.ok(isSecretKey("tokenizer"));
});

test("the first six and last four characters of a long secret are shown", () => {
  assert.is(mask(secret), "Zq8vT3…9sD4");
  assert.is(mask("short"), "***");
});

test("masking twice changes nothing", () => {
  for (const text of hidden) assert.is(redact(redact(text)), redact(text));
  assert.is(redact(redact(secret, "token"), "token"), mask(secret));
});

test("a hostile text costs no more than its length", () => {
  const started = performance.now();
  for (const part of ["a-", "https://a", "token", "-----BEGIN PRIVATE KEY-----", "eyJaaaaaaaaaaaaa."])
    redact(part.repeat(Math.ceil(8192 / part.length)));
  assert.ok(performance.now() - started < 1000);
});

test.run();
