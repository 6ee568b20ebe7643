import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  canonicalPublicKey,
  deviceIdOf,
  loadIdentity,
  openIdentity,
  verifySignature,
} from "../../src/pairing/identity.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { scriptedHost } from "../support/host.ts";

const key = "identity/device.json";

test("is made once, and is the same ever after", async () => {
  const store = createMemoryStore();
  const first = await loadIdentity(store, () => 1234);
  const second = await loadIdentity(store);
  assert.is(second.deviceId, first.deviceId);
  assert.is(second.publicKey, first.publicKey);
  assert.match(first.deviceId, /^[0-9a-f]{64}$/);
  assert.match(first.publicKey, /^[A-Za-z0-9_-]{43}$/);
  assert.is(await deviceIdOf(first.publicKey), first.deviceId);
  const document = JSON.parse((await store.read(key)) ?? "") as Record<string, unknown>;
  assert.equal(Object.keys(document), ["version", "deviceId", "publicKeyPem", "privateKeyPem", "createdAtMs"]);
  assert.is(document["version"], 1);
  assert.is(document["createdAtMs"], 1234);
  assert.is(document["deviceId"], first.deviceId);
});

test("two that start at the same time end with one identity", async () => {
  const store = createMemoryStore();
  const [a, b] = await Promise.all([loadIdentity(store), loadIdentity(store)]);
  assert.is(a.deviceId, b.deviceId);
});

test("is kept with mode 0600 in the state folder", async () => {
  const host = scriptedHost();
  await openIdentity(host, "/home/me/.openclaw");
  assert.is((await host.files.stat(`/home/me/.openclaw/${key}`))?.mode, 0o600);
});

test("a damaged file is kept aside and replaced", async () => {
  for (const damage of ["", "{", '{"publicKeyPem":"x","privateKeyPem":"y"}']) {
    const store = createMemoryStore({ [key]: damage });
    const identity = await loadIdentity(store, () => 7);
    assert.is((await loadIdentity(store)).deviceId, identity.deviceId);
    assert.is(await store.read(`${key}.damaged-7`), damage);
  }
});

test("what it signs verifies, as base64url and as base64, and nothing else does", async () => {
  const identity = await loadIdentity(createMemoryStore());
  const signature = await identity.sign("v3|text|ü");
  assert.ok(await verifySignature(identity.publicKey, "v3|text|ü", signature));
  const base64 = `${signature.replaceAll("-", "+").replaceAll("_", "/")}==`;
  assert.ok(await verifySignature(identity.publicKey, "v3|text|ü", base64));
  assert.not(await verifySignature(identity.publicKey, "v3|text|u", signature));
  const other = await loadIdentity(createMemoryStore());
  assert.not(await verifySignature(other.publicKey, "v3|text|ü", signature));
});

test("threat D: a malformed key or signature is refused, never thrown", async () => {
  const identity = await loadIdentity(createMemoryStore());
  const signature = await identity.sign("x");
  for (const bad of ["", "!!", "AAAA", signature.slice(1), `${signature}AAAA`, "A".repeat(86)])
    assert.not(await verifySignature(identity.publicKey, "x", bad));
  for (const bad of ["", "!!", "AAAA", "_".repeat(43)]) assert.not(await verifySignature(bad, "x", signature));
});

test("a public key is known in each of its spellings, and as nothing else", async () => {
  const store = createMemoryStore();
  const { publicKey } = await loadIdentity(store);
  const { publicKeyPem } = JSON.parse((await store.read(key)) ?? "") as { publicKeyPem: string };
  const base64 = `${publicKey.replaceAll("-", "+").replaceAll("_", "/")}=`;
  for (const spelling of [publicKey, base64, ` ${publicKey}\n`, publicKeyPem, publicKeyPem.replaceAll("\n", "\r\n")])
    assert.is(canonicalPublicKey(spelling), publicKey);
  const otherPrefix = publicKeyPem.replace("MCowBQYDK2Vw", "MCowBQYDK2Vu");
  for (const bad of ["", "!!", "AAA", publicKey.slice(1), `${publicKey}A`, otherPrefix, "-----BEGIN PUBLIC KEY-----"])
    assert.is(canonicalPublicKey(bad), undefined, bad);
});

test.run();
