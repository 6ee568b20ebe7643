import type { Files, Host } from "../host/host.ts";
import { tildify } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { sha256Hex } from "../kit/ids.ts";
import { keyMatches } from "./key-match.ts";
import { readPem, writePem, type PemBlock } from "./pem.ts";
import type { TlsFiles } from "./place.ts";
import { readCertificate } from "./read-certificate.ts";

/** A certificate with its key, ready to be served with. */
export interface ReadPair {
  /** The chain, the server's own certificate first. */
  readonly cert: string;
  readonly key: string;
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** The texts of both files, not yet looked into. */
export interface PairTexts {
  readonly cert: string;
  readonly key: string;
}

/** A chain of certificates is a few KiB. */
const maxBytes = 1_048_576;

/**
 * Makes sense of a certificate and its key. Throws a Failure `config` that names the file and what to do when either is
 * unreadable or encrypted, or when they do not belong together.
 */
export async function readPair(host: Pick<Host, "home">, files: TlsFiles, texts: PairTexts): Promise<ReadPair> {
  const [certName, keyName] = [tildify(host, files.cert), tildify(host, files.key)];
  const chain = readPem(texts.cert).filter(({ label }) => label === "CERTIFICATE");
  const [first] = chain;
  if (!first) throw wrong(`${certName} has no certificate in it`, "It must hold PEM: -----BEGIN CERTIFICATE-----");
  const certificate = certificateOf(first, certName);
  const key = keyOf(texts.key, keyName);
  if ((await keyMatches(certificate.publicKey, key)) === false)
    throw wrong(
      `the private key in ${keyName} does not belong to the certificate in ${certName}`,
      "Put the pair there that was made together.",
    );
  return {
    cert: chain.map(({ label, bytes }) => writePem(label, bytes)).join(""),
    key: writePem(key.label, key.bytes),
    fingerprint: await sha256Hex(first.bytes),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
  };
}

/** The text of one file; undefined when it is not there. Throws a Failure `config` when it cannot be read. */
export async function readTlsFile(
  { files, home }: Pick<Host, "home"> & { readonly files: Pick<Files, "read" | "stat"> },
  path: string,
): Promise<string | undefined> {
  const name = tildify({ home }, path);
  try {
    const stat = await files.stat(path);
    if (!stat) return undefined;
    if (stat.kind === "file" && stat.size <= maxBytes) return await files.read(path);
  } catch (error) {
    throw wrong(`${name} cannot be read: ${Failure.from(error).message}`, `Check who may read it: ls -l ${name}`);
  }
  throw wrong(`${name} is not a PEM file`, "It must be a plain file of at most 1 MiB.");
}

/** Why TLS cannot be served as it is configured. */
export function wrong(message: string, ...hints: readonly string[]): Failure {
  return new Failure("config", `gateway.tls: ${message}`, { hints });
}

function certificateOf({ bytes }: PemBlock, name: string) {
  try {
    return readCertificate(bytes);
  } catch (error) {
    throw wrong(`the certificate in ${name} cannot be read: ${Failure.from(error).message}`, "Get or make it anew.");
  }
}

function keyOf(text: string, name: string): PemBlock {
  const key = readPem(text).find(({ label }) => label.endsWith("PRIVATE KEY"));
  if (!key) throw wrong(`${name} has no private key in it`, "It must hold PEM: -----BEGIN PRIVATE KEY-----");
  if (key.encrypted)
    throw wrong(
      `the private key in ${name} is encrypted, and nobody is there to type its passphrase`,
      `Decrypt it: openssl pkey -in ${name} -out <new file>`,
      "Then name the new file in gateway.tls.keyPath.",
    );
  return key;
}
