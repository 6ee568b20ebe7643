import type { AppendFile, Host } from "../host/host.ts";
import { basename, dirname, join } from "../host/paths.ts";
import { formatLine, type LogSink } from "../kit/log.ts";
import { utf8Length } from "../kit/text.ts";

export interface LogFile {
  readonly path: string;
  readonly sink: LogSink;
  /** Writes what is left and lets go of the file. */
  close(): Promise<void>;
}

export interface LogFileOptions {
  /** A file that would grow beyond this is put aside. */
  readonly maxBytes?: number;
  /** How many files are kept beside the current one. */
  readonly keep?: number;
}

const batchMs = 50;
const retryMs = 5000;
/** Lines waiting for a disk that does not answer; what comes after is counted and left out. */
const maxWaiting = 4 * 1024 * 1024;

/**
 * A log file that a person can read, mode 0600, put aside by size and by day (UTC, as its lines are) as
 * `gateway-2026-11-21.log`, then `.1` and so on. Never blocks and never fails: when the file cannot be written, standard
 * error says so once, and it is tried again now and then.
 */
export function openLogFile(
  host: Pick<Host, "files" | "clock" | "terminal">,
  path: string,
  { maxBytes = 10 * 1024 * 1024, keep = 9 }: LogFileOptions = {},
): LogFile {
  const { clock } = host;
  const writer = createWriter(host.files, path, { maxBytes, keep });
  let waiting: string[] = [];
  let waitingChars = 0;
  let lost = 0;
  let cancel: (() => void) | undefined;
  let writing: Promise<void> = Promise.resolve();
  let warned = false;
  let closed = false;

  async function flush(): Promise<void> {
    const lines = lost > 0 ? [...waiting, lostLine(clock.now(), lost)] : waiting;
    if (lines.length === 0) return;
    const chars = waitingChars;
    [waiting, waitingChars, lost] = [[], 0, 0];
    try {
      await writer.write(lines.join(""), clock.now());
    } catch (error) {
      if (!warned) host.terminal.stderr.write(`cannot write the log file ${path}: ${reason(error)}\n`);
      warned = true;
      [waiting, waitingChars] = [[...lines, ...waiting], waitingChars + chars];
      schedule(retryMs);
    }
  }

  function schedule(ms: number): void {
    if (closed || cancel) return;
    cancel = clock.after(ms, () => {
      cancel = undefined;
      writing = writing.then(flush);
    });
  }

  return {
    path,
    sink(record) {
      if (closed) return;
      const line = `${formatLine(record)}\n`;
      if (waitingChars + line.length > maxWaiting) lost += 1;
      else {
        waiting.push(line);
        waitingChars += line.length;
      }
      schedule(batchMs);
    },
    async close() {
      closed = true;
      cancel?.();
      writing = writing.then(flush);
      await writing;
      await writer.close();
    },
  };
}

interface Writer {
  write(text: string, now: number): Promise<void>;
  close(): Promise<void>;
}

function createWriter(files: Host["files"], path: string, limits: Required<LogFileOptions>): Writer {
  let file: { readonly handle: AppendFile; readonly inode: string; readonly day: string; size: number } | undefined;

  async function open(now: number): Promise<NonNullable<typeof file>> {
    const before = await files.stat(path);
    if (before === undefined) await files.makeFolder(dirname(path));
    else if (before.mode !== 0o600) await files.chmod(path, 0o600);
    const handle = await files.open(path);
    const inode = (await files.stat(path))?.inode ?? "";
    return { handle, inode, day: dayOf(before && before.size > 0 ? before.modifiedAt : now), size: handle.size };
  }

  async function close(): Promise<void> {
    const handle = file?.handle;
    file = undefined;
    await handle?.close();
  }

  return {
    close,
    async write(text, now) {
      const bytes = utf8Length(text);
      // Somebody else may have put the file aside: logrotate, a person, another gateway on the same folder.
      if (file && (await files.stat(path))?.inode !== file.inode) await close();
      file ??= await open(now);
      if (file.size > 0 && (file.size + bytes > limits.maxBytes || file.day !== dayOf(now))) {
        const { day } = file;
        await close();
        await putAside(files, path, day);
        await prune(files, path, limits.keep);
        file = await open(now);
      }
      await file.handle.append(text);
      file.size += bytes;
    },
  };
}

async function putAside(files: Host["files"], path: string, day: string): Promise<void> {
  const sameDay = (await asideFiles(files, path)).filter((aside) => aside.day === day);
  const number = Math.max(-1, ...sameDay.map((aside) => aside.number)) + 1;
  await files.rename(path, join(dirname(path), `${stem(path)}-${day}.log${number === 0 ? "" : `.${number}`}`));
}

async function prune(files: Host["files"], path: string, keep: number): Promise<void> {
  const newestFirst = (await asideFiles(files, path)).toSorted(
    (a, b) => Date.parse(b.day) - Date.parse(a.day) || b.number - a.number,
  );
  for (const { name } of newestFirst.slice(keep)) await files.remove(join(dirname(path), name));
}

interface Aside {
  readonly name: string;
  readonly day: string;
  readonly number: number;
}

async function asideFiles(files: Host["files"], path: string): Promise<readonly Aside[]> {
  const prefix = `${stem(path)}-`;
  return (await files.list(dirname(path))).flatMap((name) => {
    const [, day, number = "0"] = /^(\d{4}-\d\d-\d\d)\.log(?:\.(\d+))?$/.exec(name.slice(prefix.length)) ?? [];
    return name.startsWith(prefix) && day !== undefined ? [{ name, day, number: Number(number) }] : [];
  });
}

function stem(path: string): string {
  return basename(path).replace(/\.log$/, "");
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function lostLine(time: number, count: number): string {
  const fields = { count };
  return `${formatLine({ time, level: "warn", subsystem: "log", message: "lines left out: the disk was too slow", fields })}\n`;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
