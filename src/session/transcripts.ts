import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { JsonObject } from "../kit/json.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import type { Logs } from "../store/log.ts";
import { isKeyPart } from "../store/key.ts";
import { UNFINISHED } from "../store/uploads.ts";
import { openTranscriptFile, type TranscriptFile } from "./transcript-file.ts";
import type { Entry, NewEntry, Transcript } from "./transcript.ts";

/** Names a transcript. */
export interface TranscriptOf {
  readonly sessionId: string;
  readonly agentId: string;
}

/** The transcripts of all sessions. Files are opened when they are needed, and the longest unused ones closed again. */
export interface Transcripts {
  get(of: TranscriptOf): Transcript;
  /** Makes a transcript that is there when `fill` has written all of it, and else not at all. */
  make<T>(of: TranscriptOf, fill: (append: Append) => Promise<T>): Promise<T>;
  /** Runs work on the file while it is closed. */
  closed<T>(of: TranscriptOf, work: (key: string) => Promise<T>): Promise<T>;
  /** Closes every file; what is used again is opened again. */
  letGo(): Promise<void>;
  /** The same for good. */
  close(): Promise<void>;
}

/** Entries may bring the time at which they were first written. */
export type CopiedEntries = Parameters<TranscriptFile["append"]>[0];
export type Append = TranscriptFile["append"];

export interface TranscriptsOptions {
  readonly logs: Logs;
  readonly clock: Clock;
  readonly log: Logger;
  /** The first line of a new transcript. */
  readonly header: (of: TranscriptOf) => JsonObject;
  readonly appended: (of: TranscriptOf, entries: readonly Entry[]) => void;
  /** Called after each part of a transcript that is made as a whole; the next part waits for it. */
  readonly keepUp: () => Promise<void>;
}

export function createTranscripts(options: TranscriptsOptions): Transcripts {
  const { logs, clock, log, header, appended, keepUp } = options;
  const lanes = createLanes();
  /** The longest unused first. */
  const open = new Map<string, Promise<TranscriptFile>>();
  let ended = false;

  async function openFile(of: TranscriptOf, key: string): Promise<TranscriptFile> {
    // A run that does not let go may outlive the restart of its gateway: the file has another writer then.
    if (ended) throw new Failure("unavailable", "the gateway has closed its conversations: try again when it is back");
    return openTranscriptFile(logs, key, { sessionId: of.sessionId, clock, log, header: () => header(of) });
  }

  async function opened(of: TranscriptOf, key: string): Promise<TranscriptFile> {
    const file = open.get(key) ?? openFile(of, key);
    open.delete(key);
    open.set(key, file);
    try {
      return await file;
    } catch (error) {
      open.delete(key);
      throw error;
    }
  }

  async function shut(key: string): Promise<void> {
    const file = open.get(key);
    open.delete(key);
    await (await file)?.close();
  }

  async function use<T>(of: TranscriptOf, work: (file: TranscriptFile) => Promise<T>): Promise<T> {
    const key = transcriptKey(of);
    const done = await lanes.run(key, async () => work(await opened(of, key)));
    const [oldest] = open.size > MAX_OPEN ? open.keys() : [];
    if (oldest !== undefined) void lanes.run(oldest, () => shut(oldest)).catch((error: unknown) => complain(error));
    return done;
  }

  function complain(error: unknown): void {
    log.warn("a transcript could not be closed", { error });
  }

  async function append(of: TranscriptOf, entries: readonly NewEntry[]): Promise<readonly Entry[]> {
    const made = await use(of, (file) => file.append(entries));
    appended(of, made);
    return made;
  }

  async function fillFile<T>(of: TranscriptOf, key: string, fill: (append: Append) => Promise<T>): Promise<T> {
    const file = await openFile(of, key);
    try {
      return await fill(async (entries) => {
        const made = await file.append(entries);
        appended(of, made);
        await keepUp();
        return made;
      });
    } finally {
      await file.close();
    }
  }

  async function letGo(): Promise<void> {
    await Promise.all([...open.keys()].map((key) => lanes.run(key, () => shut(key))));
  }

  return {
    get: (of) => ({
      sessionId: of.sessionId,
      last: () => use(of, (file) => file.last()),
      count: () => use(of, (file) => file.count()),
      append: (entries) => append(of, entries),
      page: (options) => use(of, (file) => file.page(options)),
      after: (seq, options) => use(of, (file) => file.after(seq, options)),
      find: (id) => use(of, (file) => file.find(id)),
      context: () => use(of, (file) => file.context()),
      rewind: (toId) => use(of, (file) => file.rewind(toId)),
      before: (entry) => use(of, (file) => file.before(entry)),
      compactions: (limit) => use(of, (file) => file.compactions(limit)),
      branches: () => use(of, (file) => file.branches()),
      switchTo: (leafId) => use(of, (file) => file.switchTo(leafId)),
    }),
    async make(of, fill) {
      const key = transcriptKey(of);
      const unfinished = `${UNFINISHED}/${of.sessionId}.jsonl`;
      try {
        const filled = await fillFile(of, unfinished, fill);
        await logs.move(unfinished, key);
        return filled;
      } catch (error) {
        await logs.remove(unfinished);
        throw error;
      }
    },
    async closed(of, work) {
      const key = transcriptKey(of);
      return lanes.run(key, async () => {
        await shut(key);
        return work(key);
      });
    },
    letGo,
    async close() {
      ended = true;
      await letGo();
    },
  };
}

const MAX_OPEN = 24;

/** Where a transcript is. Ids come from outside: those that are not plain names reject (threat M). */
export function transcriptKey({ sessionId, agentId }: TranscriptOf): string {
  for (const id of [agentId, sessionId]) {
    if (isKeyPart(id) && id.length <= MAX_ID) continue;
    throw new Failure("invalid-request", `${JSON.stringify(id.slice(0, 80))} does not name a session or an agent`);
  }
  return `agents/${agentId}/sessions/${sessionId}.jsonl`;
}

const MAX_ID = 128;
