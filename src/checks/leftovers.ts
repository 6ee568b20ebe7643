import { tildify } from "../host/paths.ts";
import type { WalkEntry } from "../host/walk.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** What a crash left: files that were being written, and what was cut out of logs and kept aside. */
export const leftovers: Check = {
  id: "leftovers",
  title: "Leftovers",
  async look(context) {
    const files = (await context.files()).entries.filter(({ stat, link }) => stat.kind === "file" && !link);
    const [unfinished, aside, deleted] = [
      files.filter((entry) => isUnfinished(entry, context)),
      files.filter(({ path }) => /\.(torn|damaged)$/.test(path)),
      files.filter(({ path }) => /\.deleted\.[\dT.Z-]+$/.test(path)),
    ];
    return [
      ...(unfinished.length > 0 ? [temporary(context, unfinished)] : []),
      ...(aside.length > 0 ? [keptAside(context, aside)] : []),
      ...(bytes(deleted) > manyBytes ? [deletedTranscripts(context, deleted)] : []),
    ];
  },
};

/** `.name.<pid>.<8 hex>.tmp` is what this program writes before it renames; its writer is gone, or has had a day for it. */
function isUnfinished({ path, stat }: WalkEntry, { host }: CheckContext): boolean {
  const pid = /\/\.[^/]+\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(path)?.[1];
  if (pid === undefined) return false;
  return !host.processes.alive(Number(pid)) || host.clock.now() - stat.modifiedAt > day;
}

const day = 86_400_000;

function temporary({ host, program }: CheckContext, entries: readonly WalkEntry[]): Finding {
  const what = `${entries.length} half-written ${entries.length === 1 ? "file" : "files"}`;
  return {
    code: "temporary-files",
    level: "info",
    message: `${what} of a process that is gone: ${named(host, entries)}.`,
    path: entries[0]?.path ?? "",
    command: `${program} doctor --fix`,
    fix: {
      question: `Remove ${what}?`,
      async apply() {
        for (const { path } of entries) await host.files.remove(path);
        return `Removed ${what}.`;
      },
    },
  };
}

function keptAside({ host }: CheckContext, entries: readonly WalkEntry[]): Finding {
  return {
    code: "records-kept-aside",
    level: "warning",
    message: `Lines that a crash or a bad disk damaged were cut out and kept: ${named(host, entries)}. Look at them, and at the disk.`,
    path: entries[0]?.path ?? "",
  };
}

const manyBytes = 100 * 1024 * 1024;

function deletedTranscripts({ host }: CheckContext, entries: readonly WalkEntry[]): Finding {
  return {
    code: "deleted-transcripts",
    level: "info",
    message: `${entries.length} transcripts of deleted sessions take ${Math.round(bytes(entries) / 1024 / 1024)} MB: ${named(host, entries)}. Nothing reads them any more.`,
    path: entries[0]?.path ?? "",
  };
}

function bytes(entries: readonly WalkEntry[]): number {
  return entries.reduce((sum, { stat }) => sum + stat.size, 0);
}

function named(host: CheckContext["host"], entries: readonly WalkEntry[]): string {
  const names = entries.slice(0, 3).map(({ path }) => tildify(host, path));
  return `${names.join(", ")}${entries.length > names.length ? `, and ${entries.length - names.length} more` : ""}`;
}
