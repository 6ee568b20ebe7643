import { randomHex } from "../kit/ids.ts";
import { parseIp } from "../kit/ip.ts";
import { bitString, der, integer, objectId, sequence, tags, type Bytes } from "./der.ts";
import { writePem } from "./pem.ts";

export interface CertificateRequest {
  /** DNS names that it is for; what is none is left out. */
  readonly names: readonly string[];
  /** IP addresses that it is for. */
  readonly addresses: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What its holder proves with it. */
  readonly usage?: "server" | "client";
}

/** A certificate and its private key, each as PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

const dayMs = 86_400_000;

/**
 * Ten years. Clients trust this certificate because they were told its fingerprint, so each renewal is a change that
 * people must compare again; the 825 days that Apple allows would only matter to who installs it as trusted.
 */
const validMs = 3650 * dayMs;

/** More than any machine needs; one with thousands of bridges must not make a certificate that no client reads. */
const maxNames = 64;

/** Makes a self-signed certificate (RFC 5280) with a new P-256 key. */
export async function makeCertificate(request: CertificateRequest): Promise<Pair> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const [publicKey, privateKey] = await Promise.all([
    crypto.subtle.exportKey("spki", pair.publicKey),
    crypto.subtle.exportKey("pkcs8", pair.privateKey),
  ]);
  const content = toBeSigned(request, new Uint8Array(publicKey));
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, content);
  const certificate = sequence(content, ecdsaWithSha256(), bitString(signatureValue(new Uint8Array(signature))));
  return { cert: writePem("CERTIFICATE", certificate), key: writePem("PRIVATE KEY", new Uint8Array(privateKey)) };
}

function toBeSigned(request: CertificateRequest, publicKey: Bytes): Bytes {
  const { now } = request;
  // A client whose clock is a little behind must not find it invalid.
  const validity = sequence(time(now - dayMs), time(now + validMs));
  const version3 = der(0xa0, integer(Uint8Array.of(2)));
  const holder = ownName(request.usage);
  return sequence(
    version3,
    serialNumber(),
    ecdsaWithSha256(),
    holder,
    validity,
    holder,
    publicKey,
    der(0xa3, extensions(request)),
  );
}

/** 20 random bytes, the most that RFC 5280 4.1.2.2 allows, positive and never zero. */
function serialNumber(): Bytes {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return integer(bytes);
}

function ecdsaWithSha256(): Bytes {
  return sequence(objectId("1.2.840.10045.4.3.2"));
}

/**
 * Subject and issuer alike; names of the machine are in the extension that clients look at. Whoever trusts several clients
 * finds them by this name: OpenSSL looks at the first of a name only.
 */
function ownName(usage: CertificateRequest["usage"]): Bytes {
  const name = usage === "client" ? `Clawlet client ${randomHex(8)}` : "Clawlet gateway";
  const commonName = sequence(objectId("2.5.4.3"), der(tags.utf8String, text(name)));
  return sequence(der(tags.set, commonName));
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 4.1.2.5). */
function time(ms: number): Bytes {
  const digits = new Date(ms).toISOString().replace(/\.\d+/, "").replace(/[-:T]/g, "");
  return Number(digits.slice(0, 4)) < 2050
    ? der(tags.utcTime, text(digits.slice(2)))
    : der(tags.generalizedTime, text(digits));
}

function extensions({ names, addresses, usage = "server" }: CertificateRequest): Bytes {
  const yes = der(tags.boolean, Uint8Array.of(0xff));
  const extension = (id: string, value: Bytes, critical = false): Bytes =>
    sequence(objectId(id), ...(critical ? [yes] : []), der(tags.octetString, value));
  const digitalSignature = der(tags.bitString, Uint8Array.of(7, 0x80));
  const purpose = objectId(usage === "server" ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2");
  const alternatives = [...names.flatMap(dnsName), ...addresses.flatMap(ipAddress)].slice(0, maxNames);
  return sequence(
    extension("2.5.29.19", sequence(), true), // basicConstraints: no authority
    extension("2.5.29.15", digitalSignature, true), // keyUsage
    extension("2.5.29.37", sequence(purpose)), // extKeyUsage
    ...(alternatives.length > 0 ? [extension("2.5.29.17", sequence(...alternatives))] : []), // subjectAltName
  );
}

function dnsName(name: string): readonly Bytes[] {
  const label = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
  const valid = name.length <= 253 && new RegExp(`^${label}(?:\\.${label})*$`, "i").test(name);
  return valid ? [der(0x82, text(name.toLowerCase()))] : [];
}

function ipAddress(address: string): readonly Bytes[] {
  const ip = parseIp(address);
  if (!ip) return [];
  const bits = ip.family === 4 ? [24n, 16n, 8n, 0n] : Array.from({ length: 16 }, (_, index) => BigInt(120 - 8 * index));
  return [
    der(
      0x87,
      Uint8Array.from(bits, (shift) => Number((ip.value >> shift) & 255n)),
    ),
  ];
}

/** What WebCrypto answers is r and s side by side; X.509 wants them as a sequence (RFC 3279 2.2.3). */
function signatureValue(signature: Bytes): Bytes {
  const half = signature.length / 2;
  return sequence(integer(signature.subarray(0, half)), integer(signature.subarray(half)));
}

function text(ascii: string): Uint8Array {
  return new TextEncoder().encode(ascii);
}
