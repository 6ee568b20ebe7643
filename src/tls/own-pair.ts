import type { Host } from "../host/host.ts";
import { dirname } from "../host/paths.ts";
import { makeCertificate, type Pair } from "./certificate.ts";
import type { TlsFiles } from "./place.ts";

/**
 * The first line of every file that the gateway makes, which PEM allows (RFC 7468 5.2). A file without it is a person's,
 * wherever it lies, and is never written over.
 */
const mark = "Made by the gateway and renewed by it; put files of your own in place of both to use those.";

/** So long before the end of its own certificate the gateway makes another, and speaks of a person's. */
export const soonMs = 30 * 86_400_000;

export function isOwn(text: string): boolean {
  return text.startsWith(mark);
}

/** Makes a pair for every name and address of this machine; `others` are names that it does not know by itself. */
export async function makeOwnPair(
  host: Pick<Host, "clock" | "hostname" | "net">,
  others: readonly string[],
): Promise<Pair> {
  const { hostname } = host;
  const short = hostname.split(".")[0] ?? "";
  const { cert, key } = await makeCertificate({
    names: [...new Set(["localhost", hostname, `${short}.local`, ...others])],
    addresses: [...new Set(["127.0.0.1", "::1", ...host.net.interfaces().map(({ address }) => address)])],
    now: host.clock.now(),
  });
  return { cert: `${mark}\n${cert}`, key: `${mark}\n${key}` };
}

/**
 * Puts the pair on the disk. A kill between the files leaves a key that does not belong to the certificate: both bear
 * the mark, so the next start makes a new pair.
 */
export async function writeOwnPair({ files }: Pick<Host, "files">, { cert, key }: TlsFiles, pair: Pair): Promise<void> {
  await files.makeFolder(dirname(key));
  await files.write(key, pair.key);
  await files.write(cert, pair.cert);
}
