import { test } from "uvu";
import * as assert from "uvu/assert";
import { redactAt, redactConfig, redactRaw, restoreSecrets } from "../../src/config/redact.ts";
import { REDACTED } from "../../src/kit/redact.ts";

const canary = "canary-7f3a";

test("threat G: no secret is left, in typed sections, opaque ones, URLs or environment", () => {
  const config = {
    gateway: { auth: { token: canary, password: 12_345 }, remote: { password: canary }, token: canary },
    models: {
      providers: { p: { apiKey: canary, headers: { "X-Any": canary }, baseUrl: `https://me:${canary}@host/v1` } },
    },
    channels: { telegram: { botToken: canary, accounts: { a: { webhookSecret: canary, tokens: [canary] } } } },
    env: { ANY: canary, vars: { OTHER: canary } },
    hooks: { token: canary, url: `https://host/?token=${canary}` },
    unknown: { clientSecret: canary, secretKey: canary, credentials: { file: canary }, list: [{ apiKey: canary }] },
    messages: { responsePrefix: "sk-ABCDEFGHIJKLMNOPQRSTUVWX" },
  };
  const text = JSON.stringify(redactConfig(config));
  assert.not.match(text, /canary|12345|ABCDEFGH/);
  assert.match(text, `https://${REDACTED}@host/v1`);
});

test("threat G: a secret is hidden wherever else it stands, and is put back there", () => {
  const token = "a-secret-of-some-length";
  const config = { gateway: { auth: { token } }, plugins: token, ui: { notes: ["x", token] } };
  const shown = redactConfig(config);
  assert.equal(shown, { gateway: { auth: { token: REDACTED } }, plugins: REDACTED, ui: { notes: ["x", REDACTED] } });
  assert.equal(restoreSecrets(shown, config), config);
});

test("what is no secret is shown", () => {
  const config = {
    gateway: { auth: { mode: "token" }, port: 1 },
    models: { providers: { p: { models: [{ id: "m", maxTokens: 4096 }] } } },
    channels: { x: { maxTokens: 5, enabled: true } },
  };
  assert.equal(redactConfig(config), config);
  assert.is(redactAt(["gateway", "auth", "token"], "x"), REDACTED);
});

test("the raw text is given only when nothing in it is secret, comments included", () => {
  const raw = "{ gateway: { port: 1 } } // fine";
  assert.is(redactRaw(raw, { gateway: { port: 1 } }), raw);
  assert.is(redactRaw("{} // token: hunter22", {}), null);
  assert.is(redactRaw(`{ gateway: { auth: { token: "${canary}" } } }`, { gateway: { auth: { token: canary } } }), null);
  assert.is(redactRaw(null, undefined), null);
});

test("a redacted value sent back stands for the present one, list items found by id", () => {
  const present = {
    hooks: { token: canary },
    list: [
      { id: "a", apiKey: "1" },
      { id: "b", apiKey: "2" },
    ],
    u: "https://a:b@c",
  };
  const given = redactConfig(present) as typeof present;
  assert.equal(restoreSecrets(given, present), present);
  assert.equal(restoreSecrets({ list: given.list.toReversed() }, present), { list: present.list.toReversed() });
});

test("a redacted value where there is none is refused, with its path", () => {
  assert.throws(() => restoreSecrets({ hooks: { token: REDACTED } }, {}), /hooks\.token/);
  assert.throws(() => restoreSecrets({ a: `x ${REDACTED}` }, { a: "x y" }), /invalid config: a:/);
  assert.throws(() =>
    restoreSecrets({ list: [{ id: "new", apiKey: REDACTED }] }, { list: [{ id: "a", apiKey: "1" }] }),
  );
});

test.run();
