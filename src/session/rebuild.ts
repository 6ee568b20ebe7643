import { isObject, type JsonObject } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import { linesOf, readRun } from "../store/lines.ts";
import type { Logs } from "../store/log.ts";
import { unseal } from "../store/seal.ts";
import type { Store } from "../store/store.ts";
import { newRow } from "./row.ts";
import { rowAfter } from "./row-after.ts";
import type { Rows } from "./rows.ts";
import type { SessionRow } from "./sessions.ts";
import type { Transcript } from "./transcript.ts";
import type { TranscriptOf } from "./transcripts.ts";

export interface RebuildOptions {
  readonly logs: Logs;
  readonly store: Store;
  readonly log: Logger;
  /** The rows that are known. */
  readonly rows: Rows;
  readonly transcript: (of: TranscriptOf) => Transcript;
}

/** Rows for sessions that have a transcript of this program's and are in no index: from its first line and its end. */
export async function rebuild({ logs, store, log, rows, transcript }: RebuildOptions): Promise<readonly SessionRow[]> {
  const newest = new Map<string, Found>();
  for (const key of await store.keys("agents/")) {
    const [, agentId, sessionId] = transcriptFile.exec(key) ?? [];
    if (agentId === undefined || sessionId === undefined || rows.bySessionId(sessionId)) continue;
    const header = await firstLine(logs, key);
    const sessionKey = header?.["key"];
    if (typeof sessionKey !== "string" || rows.get(sessionKey)) continue;
    const startedAt = Date.parse(String(header?.["timestamp"])) || 0;
    // An older transcript of the same key is what a reset left.
    if (startedAt >= (newest.get(sessionKey)?.startedAt ?? 0))
      newest.set(sessionKey, { key: sessionKey, agentId, sessionId, startedAt });
  }
  const found: SessionRow[] = [];
  for (const each of newest.values()) found.push(await rowFrom(each, transcript(each)));
  if (found.length > 0) log.warn("sessions that were missing in the index are back", { sessions: found.length });
  return found;
}

interface Found extends TranscriptOf {
  readonly key: string;
  readonly startedAt: number;
}

const transcriptFile = /^agents\/([^/]+)\/sessions\/([^/]+)\.jsonl$/;
const HEADER = 4096;
const ENTRIES = 50;

async function firstLine(logs: Logs, key: string): Promise<JsonObject | undefined> {
  const log = await logs.open(key);
  try {
    for (const line of linesOf(await readRun(log, 0, HEADER))) {
      const record = unseal(line)?.record;
      return isObject(record) && record["type"] === "session" ? record : undefined;
    }
    return undefined;
  } finally {
    await log.close();
  }
}

async function rowFrom({ key, agentId, sessionId, startedAt }: Found, transcript: Transcript): Promise<SessionRow> {
  let row: SessionRow = { ...newRow(key, { agentId }, startedAt), sessionId };
  const [first] = await transcript.after(0, { limit: 1 });
  const last = await transcript.page({ limit: ENTRIES });
  const entries = first && first.seq !== last[0]?.seq ? [first, ...last] : last;
  for (const entry of entries) row = { ...row, ...rowAfter(row, entry) };
  return row;
}
