import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { makeCertificate, type Pair } from "../../src/tls/certificate.ts";
import { fingerprintOf } from "../../src/tls/fingerprint.ts";
import { loadTls, type TlsRequest } from "../../src/tls/load.ts";
import { readLocalClient } from "../../src/tls/local-client.ts";
import { scriptedHost, type ScriptedHost } from "../support/host.ts";

const state = "/home/me/.clawdbot";
const folder = `${state}/gateway/tls`;
const [certFile, keyFile] = [`${folder}/gateway-cert.pem`, `${folder}/gateway-key.pem`];
const dayMs = 86_400_000;
const named = { certPath: "~/tls/cert.pem", keyPath: "~/tls/key.pem" };
const [theirCert, theirKey] = ["/home/me/tls/cert.pem", "/home/me/tls/key.pem"];

type Settings = Partial<TlsRequest["settings"]>;
const load = (host: ScriptedHost, settings: Settings = {}, keep = true) =>
  loadTls(host, { settings: { autoGenerate: true, ...settings }, state, keep });
const messages = async (host: ScriptedHost, settings: Settings = {}) =>
  (await load(host, settings)).notes.map(({ message }) => message);

async function refused(host: ScriptedHost, settings: Settings = {}): Promise<string> {
  try {
    await load(host, settings);
  } catch (error) {
    const failure = Failure.from(error);
    assert.is(failure.code, "config");
    return [failure.message, ...failure.hints].join(" | ");
  }
  throw new Error("it was not refused");
}

const names = { names: ["localhost"], addresses: [] };
const pair = (host: ScriptedHost, daysAgo = 0): Promise<Pair> =>
  makeCertificate({ ...names, now: host.clock.now() - daysAgo * dayMs });

test("cli.md 2.4 tls: a pair is made where it is looked for, for its owner only, and served again and again", async () => {
  const host = scriptedHost({ hostname: "studio.example" });
  const first = await load(host);
  assert.equal(first.notes, []);
  assert.is((await host.files.stat(keyFile))?.mode, 0o600);
  assert.is((await host.files.stat(certFile))?.mode, 0o600);
  assert.is((await host.files.stat(folder))?.mode, 0o700);
  assert.is(first.fingerprint, await fingerprintOf((await host.files.read(certFile)) ?? ""));
  const { subjectAltName = "" } = new X509Certificate(first.cert);
  for (const name of ["DNS:localhost", "DNS:studio.example", "DNS:studio.local", "127.0.0.1"])
    assert.ok(subjectAltName.includes(name), name);
  assert.equal(await load(host), first);
});

test("a look that keeps nothing writes nothing", async () => {
  const host = scriptedHost();
  await load(host, {}, false);
  assert.equal(host.files.snapshot(), {});
});

test("a kill between any two operations leaves what the next start makes a whole pair of", async () => {
  for (let operation = 1; ; operation++) {
    const host = scriptedHost();
    host.files.crashAfter(operation);
    const survived = await load(host).then(
      () => true,
      () => false,
    );
    host.files.recover();
    const after = await load(host);
    assert.is((await load(host)).fingerprint, after.fingerprint);
    if (survived) return assert.ok(operation > 2);
  }
});

test("a pair of its own that a kill at the renewal left unmatched is made anew", async () => {
  const [host, other] = [scriptedHost(), scriptedHost()];
  await load(host);
  await load(other);
  host.files.put(keyFile, (await other.files.read(keyFile)) ?? "", 0o600);
  const { fingerprint } = await load(host);
  assert.is((await load(host)).fingerprint, fingerprint);
});

test("its own certificate is made anew a month before its end, and the new fingerprint is said loudly", async () => {
  const host = scriptedHost();
  const before = await load(host);
  await host.clock.advance((3650 - 31) * dayMs);
  assert.is((await load(host)).fingerprint, before.fingerprint);
  await host.clock.advance(dayMs + 1);
  const after = await load(host);
  assert.is.not(after.fingerprint, before.fingerprint);
  const spelled = (fingerprint: string) => fingerprint.match(/../g)?.join(":") ?? "";
  assert.match(after.notes[0]?.message ?? "", spelled(before.fingerprint));
  assert.match(after.notes[0]?.message ?? "", spelled(after.fingerprint));
});

test("without autoGenerate nothing is made", async () => {
  const host = scriptedHost();
  assert.match(await refused(host, { autoGenerate: false }), "autoGenerate is off");
  assert.equal(host.files.snapshot(), {});
});

test("cli.md 2.4 tls: a person's files are served as they are, at the usual place too", async () => {
  const host = scriptedHost();
  const { cert, key } = await pair(host);
  host.files.put(theirCert, cert, 0o644);
  host.files.put(theirKey, key, 0o600);
  assert.is((await load(host, named)).fingerprint, await fingerprintOf(cert));
  host.files.put(certFile, cert, 0o644);
  host.files.put(keyFile, key, 0o600);
  assert.is((await load(host)).fingerprint, await fingerprintOf(cert));
});

test("a person's files are never written over, whatever is wrong with them", async () => {
  const host = scriptedHost();
  const [mine, expired] = [await pair(host), await pair(host, 4000)];
  const wrongs: readonly (readonly [cert: string | undefined, key: string | undefined, why: RegExp])[] = [
    [mine.cert, undefined, /gateway-key\.pem is not there \| Put it there/],
    [undefined, mine.key, /gateway-cert\.pem is not there/],
    [mine.cert, expired.key, /key in ~\/\.clawdbot\/gateway\/tls\/gateway-key\.pem does not belong to the certificate/],
    [expired.cert, expired.key, /has expired: it was valid until 2025-12-/],
    ["", mine.key, /gateway-cert\.pem has no certificate in it/],
    [mine.cert, "", /gateway-key\.pem has no private key in it/],
    [mine.cert.replace(/\n.{64}\n/, "\n"), mine.key, /the certificate in .* cannot be read/],
    ["-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n", mine.key, /has no certificate in it/],
    ["x".repeat(1_100_000), mine.key, /is not a PEM file/],
    [mine.cert, encrypted(), /is encrypted.*openssl pkey -in .*gateway\.tls\.keyPath/],
    [mine.cert, encryptedBefore, /is encrypted/],
  ];
  for (const [cert, key, why] of wrongs) {
    await host.files.remove(folder);
    if (cert !== undefined) host.files.put(certFile, cert, 0o600);
    if (key !== undefined) host.files.put(keyFile, key, 0o600);
    const before = host.files.snapshot();
    assert.match(await refused(host), why);
    assert.equal(host.files.snapshot(), before);
  }
});

test("named files that are not there are said to be missing, and not made", async () => {
  const host = scriptedHost();
  assert.match(await refused(host, named), "~/tls/cert.pem is not there | Correct gateway.tls.certPath");
  assert.match(await refused(host, { certPath: named.certPath }), "only one of certPath and keyPath is set");
  assert.match(await refused(host, { caPath: "~/ca.pem" }), "caPath: ~/ca.pem is not there");
});

test("what will go wrong is said before: an end that is near, a key that others may read", async () => {
  const host = scriptedHost();
  const { cert, key } = await pair(host, 3650 - 20);
  host.files.put(theirCert, cert, 0o644);
  host.files.put(theirKey, key, 0o640);
  const [expiring = "", readable = "", ...more] = await messages(host, named);
  assert.match(expiring, /~\/tls\/cert\.pem is valid until \d{4}-\d\d-\d\d: renew it/);
  assert.match(readable, "chmod 600 ~/tls/key.pem");
  assert.equal(more, []);
});

test("keys of the older forms belong to their certificate as those of PKCS #8 do", async () => {
  const host = scriptedHost();
  const { cert, key } = await pair(host);
  const older = createPrivateKey(key).export({ type: "sec1", format: "pem" }).toString();
  assert.match(older, "BEGIN EC PRIVATE KEY");
  host.files.put(theirCert, cert, 0o644);
  host.files.put(theirKey, older, 0o600);
  assert.match((await load(host, named)).key, "BEGIN EC PRIVATE KEY");
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  host.files.put(theirKey, rsa.export({ type: "pkcs1", format: "pem" }).toString(), 0o600);
  assert.match(await refused(host, named), "does not belong to the certificate");
});

test("the authorities of clients are read from caPath", async () => {
  const host = scriptedHost();
  const { cert } = await pair(host);
  host.files.put("/home/me/ca.pem", `a company\n${cert}`);
  assert.is((await load(host, { caPath: "~/ca.pem" }, false)).ca, cert);
  host.files.put("/home/me/ca.pem", "nothing");
  assert.match(await refused(host, { caPath: "~/ca.pem" }), "~/ca.pem has no certificate in it");
});

test("where clients must come with a certificate, the commands of this machine have one of their own", async () => {
  const host = scriptedHost();
  const ca = (await pair(host)).cert;
  host.files.put("/home/me/ca.pem", ca);
  const settings = { caPath: "~/ca.pem" };
  assert.is(await readLocalClient(host, state), undefined);
  await load(host);
  assert.is(await readLocalClient(host, state), undefined, "nobody asks for one");
  const served = await load(host, settings);
  const own = await readLocalClient(host, state);
  assert.is(served.ca, ca + own?.cert);
  assert.ok(new X509Certificate(own?.cert ?? "").checkPrivateKey(createPrivateKey(own?.key ?? "")));
  assert.is((await host.files.stat(`${folder}/local-client.pem`))?.mode, 0o600);
  assert.equal(await load(host, settings), served);
  assert.equal(await load(host, settings, false), served);

  await host.clock.advance((3650 - 30) * dayMs);
  await load(host, settings);
  assert.is.not((await readLocalClient(host, state))?.cert, own?.cert, "it is made anew before it ends");
  host.files.put(`${folder}/local-client.pem`, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", 0o600);
  assert.is(await readLocalClient(host, state), undefined);
  await load(host, settings);
  assert.ok(await readLocalClient(host, state));
});

test("further names are asked for only when a certificate is made that stays", async () => {
  const host = scriptedHost();
  let asked = 0;
  const request = { settings: { autoGenerate: true }, state };
  const names = async () => {
    asked++;
    return ["studio.tail1234.ts.net"];
  };
  await loadTls(host, { ...request, keep: false, names });
  assert.is(asked, 0);
  const { cert } = await loadTls(host, { ...request, keep: true, names });
  assert.match(new X509Certificate(cert).subjectAltName ?? "", "DNS:studio.tail1234.ts.net");
  await loadTls(host, { ...request, keep: true, names });
  assert.is(asked, 1);
});

function encrypted(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const how = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "p" } as const;
  return privateKey.export(how).toString();
}

/** RFC 1421 4.6.1.1, as `openssl genrsa -traditional -aes128` writes it. */
const encryptedBefore = `-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,0123456789ABCDEF0123456789ABCDEF

MIIB
-----END RSA PRIVATE KEY-----
`;

test.run();
