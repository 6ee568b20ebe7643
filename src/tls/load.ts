import type { Host } from "../host/host.ts";
import { absolute, dirname, tildify } from "../host/paths.ts";
import { spellFingerprint } from "../kit/fingerprint.ts";
import { openLocalClient, readLocalClient } from "./local-client.ts";
import { isOwn, makeOwnPair, soonMs, writeOwnPair } from "./own-pair.ts";
import { readPem, writePem } from "./pem.ts";
import { tlsFiles, type TlsFiles, type TlsPaths } from "./place.ts";
import { readPair, readTlsFile, wrong, type ReadPair } from "./read-pair.ts";

/** What to serve TLS with. */
export interface Tls {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Clients must come with a certificate of these authorities, or with that of this machine's own commands (PEM). */
  readonly ca?: string;
  /** SHA-256 of the certificate, in lower-case hex. */
  readonly fingerprint: string;
  /** What the person who starts it should know. */
  readonly notes: readonly TlsNote[];
}

export interface TlsNote {
  readonly code: "renewed" | "expiring" | "too-early" | "key-readable";
  /** A sentence. */
  readonly message: string;
}

export interface TlsRequest {
  readonly settings: TlsPaths & { readonly autoGenerate: boolean; readonly caPath?: string | undefined };
  /** The state folder. */
  readonly state: string;
  /** Whether a pair that is made is kept: not while another process owns the state folder, nor to have a look only. */
  readonly keep: boolean;
  /** Asked for further names of this machine when a pair is made and kept. */
  readonly names?: (() => Promise<readonly string[]>) | undefined;
}

type Machine = Pick<Host, "clock" | "cwd" | "files" | "home" | "hostname" | "net" | "os">;

/**
 * The certificate and key that `gateway.tls` means: those of a person as they are, or a pair of the gateway's own, which
 * is made when there is none and renewed when it is about to expire. Throws a Failure `config` that names the file and
 * what to do when they cannot be served with.
 */
export async function loadTls(host: Machine, { settings, state, keep, names }: TlsRequest): Promise<Tls> {
  const files = tlsFiles(host, state, settings);
  if ((settings.certPath === undefined) !== (settings.keyPath === undefined))
    throw wrong(
      "only one of certPath and keyPath is set",
      "Set both, or neither for a certificate that the gateway makes.",
    );
  const [cert, key] = await Promise.all([readTlsFile(host, files.cert), readTlsFile(host, files.key)]);
  const ours = files.usual && [cert, key].every((text) => text === undefined || isOwn(text));
  const { pair, notes } = ours
    ? await ownPair(host, { files, texts: { cert, key }, autoGenerate: settings.autoGenerate, keep, names })
    : await personsPair(host, files, { cert, key });
  const ca = settings.caPath === undefined ? undefined : await authorities(host, settings.caPath);
  const local = ca === undefined ? undefined : await (keep ? openLocalClient : readLocalClient)(host, state);
  const open = await tooOpen(host, files);
  const served = { cert: pair.cert, key: pair.key, fingerprint: pair.fingerprint };
  return { ...served, ...(ca === undefined ? {} : { ca: ca + (local?.cert ?? "") }), notes: [...notes, ...open] };
}

interface Loaded {
  readonly pair: ReadPair;
  readonly notes: readonly TlsNote[];
}

interface Texts {
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

interface Own {
  readonly files: TlsFiles;
  readonly texts: Texts;
  readonly autoGenerate: boolean;
  readonly keep: boolean;
  readonly names: TlsRequest["names"];
}

async function ownPair(host: Machine, { files, texts, autoGenerate, keep, names }: Own): Promise<Loaded> {
  const before = await usable(host, files, texts);
  if (before && before.notAfter - host.clock.now() > soonMs) return { pair: before, notes: [] };
  if (!before && !autoGenerate)
    throw wrong(
      `there is no certificate in ${tildify(host, files.cert)}, and autoGenerate is off`,
      "Set gateway.tls.certPath and keyPath, or switch gateway.tls.autoGenerate on.",
    );
  const made = await makeOwnPair(host, keep && names ? await names() : []);
  if (keep) await writeOwnPair(host, files, made);
  const pair = await readPair(host, files, made);
  return { pair, notes: before ? [renewed(before, pair)] : [] };
}

/** What a start before this one left; undefined when it was cut off before it had written both. */
async function usable(host: Machine, files: TlsFiles, { cert, key }: Texts): Promise<ReadPair | undefined> {
  if (cert === undefined || key === undefined) return undefined;
  try {
    return await readPair(host, files, { cert, key });
  } catch {
    return undefined; // the gateway's own pair, torn: what is wrong with it helps nobody, and it is made anew
  }
}

function renewed(before: ReadPair, after: ReadPair): TlsNote {
  const [old, now] = [before, after].map(({ fingerprint }) => spellFingerprint(fingerprint));
  const message = `the TLS certificate ${until(before)} and was made anew: its fingerprint was ${old} and is now ${now}; tell it to every client that pins the old one`;
  return { code: "renewed", message };
}

function until({ notAfter }: ReadPair): string {
  return `is valid until ${date(notAfter)}`;
}

function date(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

async function personsPair(host: Machine, files: TlsFiles, { cert, key }: Texts): Promise<Loaded> {
  const ways = files.usual
    ? `Put it there, or move the other file of ${tildify(host, dirname(files.key))} away to have a pair made.`
    : "Correct gateway.tls.certPath and keyPath, or unset both to have a pair made.";
  for (const [text, path] of [
    [cert, files.cert],
    [key, files.key],
  ] as const)
    if (text === undefined) throw wrong(`${tildify(host, path)} is not there`, ways);
  const pair = await readPair(host, files, { cert: cert ?? "", key: key ?? "" });
  const now = host.clock.now();
  const name = tildify(host, files.cert);
  if (pair.notAfter <= now)
    throw wrong(`the certificate in ${name} has expired: it was valid until ${date(pair.notAfter)}`, "Renew it.");
  const note = (applies: boolean, code: TlsNote["code"], what: string): readonly TlsNote[] =>
    applies ? [{ code, message: `the TLS certificate in ${name} ${what}` }] : [];
  return {
    pair,
    notes: [
      ...note(pair.notAfter - now <= soonMs, "expiring", `${until(pair)}: renew it, then restart the gateway`),
      ...note(pair.notBefore > now, "too-early", `is not valid before ${date(pair.notBefore)}`),
    ],
  };
}

async function authorities(host: Machine, caPath: string): Promise<string> {
  const path = absolute(host, caPath);
  const name = tildify(host, path);
  const text = await readTlsFile(host, path);
  if (text === undefined) throw wrong(`caPath: ${name} is not there`, "Correct gateway.tls.caPath, or unset it.");
  const blocks = readPem(text).filter(({ label }) => label === "CERTIFICATE");
  if (blocks.length === 0) throw wrong(`caPath: ${name} has no certificate in it`, "It must hold PEM.");
  return blocks.map(({ label, bytes }) => writePem(label, bytes)).join("");
}

/** Who reads the key can pretend to be this gateway. */
async function tooOpen({ files, home, os }: Machine, { key }: TlsFiles): Promise<readonly TlsNote[]> {
  const mode = os === "windows" ? 0 : ((await files.stat(key))?.mode ?? 0);
  if ((mode & 0o077) === 0) return [];
  const name = tildify({ home }, key);
  return [{ code: "key-readable", message: `other users may read the private key ${name}: chmod 600 ${name}` }];
}
