import type { Host } from "../host/host.ts";
import { dirname } from "../host/paths.ts";
import { makeCertificate, type Pair } from "./certificate.ts";
import { soonMs } from "./own-pair.ts";
import { readPem, writePem } from "./pem.ts";
import { localClientFile } from "./place.ts";
import { readCertificate } from "./read-certificate.ts";
import { readTlsFile } from "./read-pair.ts";

type Machine = Pick<Host, "clock" | "files" | "home">;

/**
 * The certificate and key that this machine's own commands show to their gateway where `gateway.tls.caPath` asks clients
 * for one: who may read the state folder need not be given one by the authority. Undefined when there is none.
 */
export async function readLocalClient(host: Pick<Machine, "files" | "home">, state: string): Promise<Pair | undefined> {
  const blocks = readPem((await readTlsFile(host, localClientFile(state))) ?? "");
  const [cert, key] = ["CERTIFICATE", "PRIVATE KEY"].map((wanted) => blocks.find(({ label }) => label === wanted));
  if (!cert || !key) return undefined;
  return { cert: writePem(cert.label, cert.bytes), key: writePem(key.label, key.bytes) };
}

/** The same for the gateway itself, which makes it when there is none that lasts. Both are in one file: whole or not there. */
export async function openLocalClient(host: Machine, state: string): Promise<Pair> {
  const before = await readLocalClient(host, state);
  if (before && lasts(before, host.clock.now())) return before;
  const made = await makeCertificate({ names: [], addresses: [], now: host.clock.now(), usage: "client" });
  const path = localClientFile(state);
  await host.files.makeFolder(dirname(path));
  await host.files.write(path, `${note}\n${made.cert}${made.key}`);
  return made;
}

const note = "Made by the gateway and renewed by it, for the commands of this machine.";

function lasts({ cert }: Pair, now: number): boolean {
  try {
    const [block] = readPem(cert);
    return block !== undefined && readCertificate(block.bytes).notAfter - now > soonMs;
  } catch {
    return false; // not a certificate: whatever it is, it is made anew
  }
}
