import { test } from "uvu";
import * as assert from "uvu/assert";
import { signJwt, verifyJwt, type JwtDemands } from "../../src/channels/channel-jwt.ts";
import { createKeySet } from "../../src/channels/channel-keys.ts";
import { scriptedContext, type ScriptedContext } from "../support/channel-context.ts";
import { failure } from "../support/networks/account.ts";
import { createJwtIssuer, part } from "../support/networks/jwt-issuer.ts";

const issuer = await createJwtIssuer();
const other = await createJwtIssuer("key-2");
const url = "https://issuer.example/keys";

interface Given extends ScriptedContext {
  readonly demands: () => JwtDemands;
  readonly publish: (answer: () => Response) => void;
}

function given(): Given {
  let publish = (): Response => Response.json({ keys: [issuer.jwk] });
  const context = scriptedContext({ answer: () => publish() });
  const keys = createKeySet(context.context, { label: "the issuer", url });
  return {
    ...context,
    demands: () => ({ keys, issuers: ["https://issuer.example"], audience: "us", now: context.clock.now() }),
    publish: (answer) => void (publish = answer),
  };
}

const now = Date.UTC(2026, 10, 21) / 1000;
const good = { iss: "https://issuer.example", aud: "us", exp: now + 60, nbf: now, iat: now };

test("a token that the issuer signed for us is good", async () => {
  const { demands } = given();
  const proven = await verifyJwt(await issuer.sign({ ...good, email: "a@b.example" }), demands());
  assert.is(proven?.claims["email"], "a@b.example");
  assert.ok(await verifyJwt(await issuer.sign({ ...good, aud: ["them", "us"] }), demands()));
});

test("threat C a token for others, by others or out of its time is none", async () => {
  const { demands } = given();
  const wrong: object[] = [
    { ...good, iss: "https://evil.example" },
    { ...good, aud: "them" },
    { ...good, aud: [] },
    { ...good, exp: now - 301 },
    { ...good, exp: undefined },
    { ...good, exp: `${now + 60}` },
    { ...good, nbf: now + 301 },
    { ...good, iat: now + 301 },
  ];
  for (const claims of wrong)
    assert.is(await verifyJwt(await issuer.sign(claims), demands()), undefined, JSON.stringify(claims));
  for (const claims of [
    { ...good, exp: now - 299 },
    { ...good, nbf: now + 299 },
  ])
    assert.ok(await verifyJwt(await issuer.sign(claims), demands()), "five minutes are allowed");
  assert.is(await verifyJwt(await issuer.sign(good), { ...demands(), audience: "" }), undefined);
});

test("threat C a token without a signature of the named key is none", async () => {
  const { demands } = given();
  const token = await issuer.sign(good);
  const [head = "", claims = "", mark = ""] = token.split(".");
  const none = part({ alg: "none", typ: "JWT", kid: "key-1" });
  const wrong = [
    "",
    "a.b.c",
    token.slice(0, -4),
    `${head}.${part({ ...good, extra: 1 })}.${mark}`,
    `${none}.${claims}.`,
    `${none}.${claims}.${mark}`,
    `${token}.`,
    `${head}.${claims}=.${mark}`,
    await other.sign(good),
    await other.sign(good, { kid: "key-1" }),
    await issuer.sign(good, { alg: "HS256" }),
    await issuer.sign(good, { alg: "ES256" }),
    await issuer.sign(good, { kid: undefined }),
    await issuer.sign(good, { crit: ["b64"] }),
    await issuer.sign({ ...good, padding: "x".repeat(20_000) }),
  ];
  for (const each of wrong) assert.is(await verifyJwt(each, demands()), undefined, each.slice(0, 80));
});

test("a token by a key of the P-256 curve is good", async () => {
  const { demands, publish } = given();
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  publish(() => Response.json({ keys: [{ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, kid: "ec" }] }));
  const text = `${part({ alg: "ES256", kid: "ec" })}.${part(good)}`;
  const mark = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    pair.privateKey,
    new TextEncoder().encode(text),
  );
  const token = `${text}.${btoa(String.fromCharCode(...new Uint8Array(mark)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "")}`;
  assert.ok(await verifyJwt(token, demands()));
});

test("keys are asked for once, again after six hours, and for an unknown one not more than every five minutes", async () => {
  const { demands, requests, clock, publish } = given();
  for (let turn = 0; turn < 3; turn++) await verifyJwt(await issuer.sign(good), demands());
  assert.is(requests.length, 1);
  for (let turn = 0; turn < 3; turn++) assert.is(await verifyJwt(await other.sign(good), demands()), undefined);
  assert.is(requests.length, 1, "too soon for another question");
  publish(() => Response.json({ keys: [issuer.jwk, other.jwk] }));
  await clock.advance(300_000);
  assert.ok(await verifyJwt(await other.sign({ ...good, exp: now + 999 }), demands()));
  assert.is(requests.length, 2);
  publish(() => Response.json({ keys: [other.jwk] }));
  await clock.advance(6 * 3_600_000);
  const late = { ...good, exp: now + 100_000 };
  assert.is(await verifyJwt(await issuer.sign(late), demands()), undefined, "a key that was withdrawn");
  assert.is(requests.length, 3);
});

test("keys that cannot be had are no refusal, and are asked for again after a while", async () => {
  const { demands, requests, clock, publish } = given();
  publish(() => new Response("<html>", { status: 403 }));
  const check = async (): Promise<unknown> => (await failure(verifyJwt(await issuer.sign(good), demands()))).code;
  assert.equal([await check(), await check(), requests.length], ["unavailable", "unavailable", 1]);
  publish(() => Response.json({ keys: [issuer.jwk, { kty: "RSA", kid: "weak", n: "AQAB", e: "AQAB" }, "no key"] }));
  await clock.advance(10_000);
  assert.is(await check(), undefined);
});

test("a service account signs what the other side can check; a bad key is not shown", async () => {
  const token = await signJwt({ iss: "a@b.example" }, { privateKey: issuer.pem, keyId: "7" });
  assert.equal(await issuer.verified(token), { iss: "a@b.example" });
  for (const privateKey of ["", "secret", issuer.pem.replace("MII", "AAA")]) {
    const { code, message = "" } = await failure(signJwt({}, { privateKey }));
    assert.is(code, "config");
    assert.not.match(message, /secret/);
  }
});

test.run();
