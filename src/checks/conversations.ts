import { openJournal } from "../flow/journal.ts";
import { join, tildify } from "../host/paths.ts";
import { isObject, parseJson } from "../kit/json.ts";
import { createLogger } from "../kit/log.ts";
import { readIndex } from "../session/index-read.ts";
import { createFolderLogs } from "../store/folder-log.ts";
import type { Logs } from "../store/log.ts";
import { createStandbyLogs } from "../store/standby.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** The conversations on the disk: index, transcripts, search index, and messages that wait for their answer. */
export const conversations: Check = {
  id: "conversations",
  title: "Sessions",
  async look(context) {
    const { host, paths } = context;
    // A look changes nothing, whoever owns the state.
    const logs = createStandbyLogs(createFolderLogs(host.files, paths.state), () => ({ pid: host.processes.pid }));
    const found = await Promise.all([indexFindings(context, logs), searchFindings(context), waiting(context, logs)]);
    return found.flat();
  },
};

async function indexFindings(context: CheckContext, logs: Logs): Promise<Finding[]> {
  const { host, paths, program } = context;
  const path = join(paths.state, "sessions", "index.jsonl");
  const transcripts = (await context.files()).entries.flatMap(({ name, path: file }) => {
    const sessionId = /^agents\/[^/]+\/sessions\/([^/]+)\.jsonl$/.exec(name)?.[1];
    return sessionId === undefined ? [] : [{ sessionId, file }];
  });
  if (!(await host.files.stat(path)))
    return transcripts.length === 0
      ? []
      : [
          {
            code: "session-index-missing",
            level: "warning",
            message: `${tildify(host, path)} is missing, with ${transcripts.length} transcripts there: the gateway makes it anew from them when it starts.`,
            path,
            command: `${program} gateway restart`,
          },
        ];
  const index = await logs.open("sessions/index.jsonl");
  try {
    const { rows, damaged } = await readIndex(index);
    const known = new Set([...rows].map(({ sessionId }) => sessionId));
    const orphans = transcripts.filter(({ sessionId }) => !known.has(sessionId));
    return [...damagedIndex(context, path, damaged.length), ...orphaned(context, orphans)];
  } finally {
    await index.close();
  }
}

function damagedIndex({ host, program }: CheckContext, path: string, lines: number): Finding[] {
  if (lines === 0) return [];
  return [
    {
      code: "session-index-damaged",
      level: "warning",
      message: `${tildify(host, path)} has ${lines} damaged lines: the gateway mends it from the transcripts when it starts.`,
      path,
      command: `${program} gateway restart`,
    },
  ];
}

/** A reset leaves its old transcript, so a few are as it should be: they are told of, and no more. */
function orphaned({ host }: CheckContext, orphans: readonly { readonly file: string }[]): Finding[] {
  const [first] = orphans;
  if (!first) return [];
  return [
    {
      code: "transcripts-without-session",
      level: "info",
      message: `${orphans.length} ${orphans.length === 1 ? "transcript belongs" : "transcripts belong"} to no session, as after a reset: ${tildify(host, first.file)}${orphans.length > 1 ? " and others" : ""}.`,
      path: first.file,
    },
  ];
}

async function searchFindings({ host, paths, program }: CheckContext): Promise<Finding[]> {
  const path = join(paths.state, "search", "segments.jsonl");
  const text = await host.files.read(path);
  if (text === undefined) return [];
  const catalogue = parseJson(text);
  const segments: unknown = isObject(catalogue) ? catalogue["segments"] : undefined;
  const present = await host.files.list(join(paths.state, "search"));
  const missing = (Array.isArray(segments) ? (segments as readonly unknown[]) : []).filter(
    (id) => !present.includes(`texts-${String(id)}.jsonl`),
  );
  if (Array.isArray(segments) && missing.length === 0) return [];
  return [
    {
      code: "search-index-damaged",
      level: "warning",
      message: `${tildify(host, path)} ${Array.isArray(segments) ? `names ${missing.length} files that are not there` : "cannot be understood"}: the gateway makes the search index anew when it starts.`,
      path,
      command: `${program} gateway restart`,
    },
  ];
}

/** What a person was promised an answer to, while nobody is there to give it. */
async function waiting(context: CheckContext, logs: Logs): Promise<Finding[]> {
  const { host, paths, program } = context;
  const path = join(paths.state, "runs", "journal.jsonl");
  if (!(await host.files.stat(path))) return [];
  let damaged = false;
  const log = createLogger(() => host.clock.now(), [({ level }) => void (damaged ||= level === "warn")]);
  const journal = await openJournal({ logs, log });
  const open = journal.pending().filter(({ stopped }) => !stopped).length;
  await journal.close();
  const { running } = await context.gateway();
  return [
    ...(damaged
      ? [
          {
            code: "journal-damaged",
            level: "warning" as const,
            message: `${tildify(host, path)} has damaged lines: they are passed over, and a message may want to be sent again. Look at the disk.`,
            path,
          },
        ]
      : []),
    ...(open > 0 && !running
      ? [
          {
            code: "messages-waiting",
            level: "warning" as const,
            message: `${open} ${open === 1 ? "message waits" : "messages wait"} for an answer: taken up when the gateway starts.`,
            path,
            command: `${program} gateway`,
          },
        ]
      : []),
  ];
}
