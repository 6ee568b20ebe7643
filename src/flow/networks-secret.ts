import { filesOf, type Surroundings } from "../host/host.ts";
import { absolute, tildify } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";

/** Bytes of a secret's file; the largest are keys of service accounts. */
const MAX_BYTES = 64 * 1024;

/**
 * The secret that a file holds, without the white space around it. Throws `config` for a file that is not there, is no
 * plain file, or that others on this machine may read: `chmod 600` is then what to do.
 */
export async function readSecret(
  host: Pick<Surroundings, "files" | "home" | "cwd" | "os">,
  path: string,
): Promise<string> {
  const files = filesOf(host);
  const wrong = (what: string): Failure => new Failure("config", `${tildify(host, absolute(host, path))} ${what}`);
  // Secrets are often mounted as links; where they lead to is what counts.
  const real = await files.realPath(absolute(host, path));
  const file = real === undefined ? undefined : await files.openRead(real);
  if (!file) throw wrong("is not there: put the secret into it, readable by you alone");
  try {
    const { mode, size } = file.stat;
    if (host.os !== "windows" && (mode & 0o077) !== 0)
      throw wrong(`may be read by others on this machine: chmod 600 ${tildify(host, absolute(host, path))}`);
    if (size > MAX_BYTES) throw wrong(`has ${size} bytes: a secret has ${MAX_BYTES} at most`);
    const text = new TextDecoder().decode(await file.read(0, size)).trim();
    if (text === "") throw wrong("is empty: put the secret into it");
    return text;
  } finally {
    await file.close();
  }
}
