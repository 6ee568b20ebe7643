import { toBase64Url } from "../kit/ids.ts";
import { isObject, parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import { linesOf, runsOf, type Run } from "../store/lines.ts";
import type { Logs } from "../store/log.ts";

/**
 * Copies lines that cannot be read to `<key>.damaged`, each once, and says so in the log. The session lives on without
 * them. Never rejects: whoever reads a conversation must not fail over what it lost.
 */
export async function quarantine(
  logs: Logs,
  { key, lines, log }: { readonly key: string; readonly lines: readonly Run[]; readonly log: Logger },
): Promise<void> {
  if (lines.length === 0) return;
  const copy = `${key}.damaged`;
  const fields = { log: key, lines: lines.length, firstAtByte: lines[0]?.offset };
  try {
    const fresh = await keep(logs, copy, lines);
    if (fresh > 0) log.warn("lines that are damaged are left out", { ...fields, keptIn: copy });
  } catch (error) {
    log.warn("lines that are damaged are left out, and could not be copied", { ...fields, error });
  }
}

async function keep(logs: Logs, copy: string, lines: readonly Run[]): Promise<number> {
  const kept = await logs.open(copy);
  try {
    const known = new Set<unknown>();
    for await (const run of runsOf(kept))
      for (const { text } of linesOf(run)) {
        const record = parseJson(text);
        if (isObject(record)) known.add(record["offset"]);
      }
    const fresh = lines.filter(({ offset }) => !known.has(offset));
    let room = MAX_FILE - kept.size;
    const records = fresh.flatMap(({ offset, bytes }) => {
      const record = JSON.stringify({ offset, length: bytes.length, base64url: toBase64Url(bytes.slice(0, MAX_LINE)) });
      room -= record.length;
      return room > 0 ? [record] : [];
    });
    if (records.length > 0) await kept.append(records);
    return fresh.length;
  } finally {
    await kept.close();
  }
}

const MAX_FILE = 1024 * 1024;
const MAX_LINE = 16 * 1024;
