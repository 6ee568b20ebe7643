import { spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeCertificate } from "../../src/tls/certificate.ts";
import { fingerprintOf } from "../../src/tls/fingerprint.ts";
import { readPem } from "../../src/tls/pem.ts";
import { readCertificate } from "../../src/tls/read-certificate.ts";

const now = Date.UTC(2026, 10, 21);
const request = {
  names: ["localhost", "My-Host", "my-host.local", "not a name", "-", "x".repeat(64)],
  addresses: ["127.0.0.1", "::1", "fd00::12:ff", "192.168.1.100", "nonsense", "1.2.3.400"],
  now,
};

test("the platform's own reader finds names, addresses and validity, and no authority", async () => {
  const { cert, key } = await makeCertificate(request);
  const read = new X509Certificate(cert);
  assert.is(
    read.subjectAltName
      ?.toLowerCase()
      .replaceAll("ip address:", "ip:")
      .replaceAll(/(?<=:)(?:0:){5,}/g, ":")
      .replace("ip:::1", "ip::1"),
    "dns:localhost, dns:my-host, dns:my-host.local, ip:127.0.0.1, ip::1, ip:fd00::12:ff, ip:192.168.1.100",
  );
  assert.equal([Date.parse(read.validFrom), Date.parse(read.validTo)], [now - 86_400_000, now + 3650 * 86_400_000]);
  assert.is(read.ca, false);
  assert.is(read.subject, read.issuer);
  assert.ok(read.verify(read.publicKey));
  assert.is(createPrivateKey(key).asymmetricKeyType, "ec");
});

test("SC-219 the fingerprint is the SHA-256 of the certificate as everybody computes it", async () => {
  const { cert } = await makeCertificate(request);
  const theirs = new X509Certificate(cert).fingerprint256.replaceAll(":", "").toLowerCase();
  assert.is(await fingerprintOf(cert), theirs);
  assert.is(await fingerprintOf(`a line before it\n${cert}${cert}`), theirs);
  assert.is(await fingerprintOf("nothing"), undefined);
});

test("serial numbers are positive, long, and never the same", async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => makeCertificate(request)));
  const serials = made.map(({ cert }) => new X509Certificate(cert).serialNumber);
  assert.is(new Set(serials).size, 20);
  for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{39}$/);
});

test("a machine with thousands of addresses gets a certificate that can be read", async () => {
  const addresses = Array.from({ length: 5000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
  const { cert } = await makeCertificate({ ...request, addresses });
  assert.is(new X509Certificate(cert).subjectAltName?.split(",").length, 64);
});

test("times after 2049 are written in four digits and read back", async () => {
  const late = Date.UTC(2048, 5, 1);
  const { cert } = await makeCertificate({ ...request, now: late });
  const read = readCertificate(readPem(cert)[0]?.bytes ?? new Uint8Array());
  assert.equal([read.notBefore, read.notAfter], [late - 86_400_000, late + 3650 * 86_400_000]);
  assert.is(Date.parse(new X509Certificate(cert).validTo), read.notAfter);
});

const withOpenssl = spawnSync("openssl", ["version"]).error
  ? (name: string, run: () => Promise<void>) => {
      process.stdout.write("skipped: needs openssl\n");
      test.skip(name, run);
    }
  : test;
withOpenssl("openssl takes it strictly, for servers and nothing else", async () => {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-tls-"));
  const file = join(folder, "cert.pem");
  writeFileSync(file, (await makeCertificate({ ...request, now: Date.now() })).cert);
  const verify = (...options: string[]) =>
    spawnSync("openssl", ["verify", "-x509_strict", ...options, "-CAfile", file, file]).status;
  assert.is(verify("-purpose", "sslserver", "-verify_hostname", "my-host.local"), 0);
  assert.is(verify("-purpose", "sslserver", "-verify_ip", "fd00::12:ff"), 0);
  assert.is.not(verify("-purpose", "sslserver", "-verify_hostname", "other"), 0);
  assert.is.not(verify("-purpose", "sslclient"), 0);
  const text = spawnSync("openssl", ["x509", "-noout", "-text", "-in", file]).stdout.toString();
  for (const part of [
    "ecdsa-with-SHA256",
    "NIST CURVE: P-256",
    "X509v3 Basic Constraints: critical\n                CA:FALSE",
    "X509v3 Key Usage: critical\n                Digital Signature",
    "TLS Web Server Authentication",
  ])
    assert.ok(text.includes(part), part);
  rmSync(folder, { recursive: true });
});

test.run();
