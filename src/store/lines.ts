import type { Log } from "./log.ts";

/** Whole lines as they lie in a log. */
export interface Run {
  /** Where in the log the first line begins. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * The lines that begin in the `size` bytes from `offset` (a line's beginning), as many as fit but at least one; empty at
 * the end of the log. What has no end for 32 MB counts as a line, so that nothing makes memory grow without bound.
 */
export async function readRun(log: Log, offset: number, size: number): Promise<Run> {
  for (let take = Math.min(size, MAX_LINE); ; take = Math.min(take * 4, MAX_LINE)) {
    const bytes = await log.read(offset, Math.min(offset + take, log.size));
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) return { offset, bytes: bytes.subarray(0, end) };
    if (take === MAX_LINE || offset + bytes.length >= log.size) return { offset, bytes };
  }
}

/** All lines of a log from `offset` on, some hundred KB at a time. */
export async function* runsOf(log: Log, offset = 0, size = RUN): AsyncGenerator<Run> {
  for (let at = offset; at < log.size;) {
    const run = await readRun(log, at, size);
    if (run.bytes.length === 0) return;
    yield run;
    at += run.bytes.length;
  }
}

/** A line without its line break. */
export interface Line {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Each line of a run; empty ones are left out. */
export function* linesOf({ offset, bytes }: Run): Generator<Line> {
  // Decoding all at once is many times faster than line by line; a byte 10 is a line break in any UTF-8, damaged too.
  const texts = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).split("\n");
  let start = 0;
  for (const text of texts) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    if (end > start) yield { offset: offset + start, bytes: bytes.subarray(start, end), text };
    start = end + 1;
  }
}

/** Where each line of a run begins in its bytes. */
export function lineStarts({ bytes }: Run): readonly number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length;) {
    starts.push(at);
    const newline = bytes.indexOf(NEWLINE, at);
    at = newline < 0 ? bytes.length : newline + 1;
  }
  return starts;
}

/** The one line of a run that begins there, without a look at the others. */
export function lineFrom(run: Run, start: number): Line {
  const newline = run.bytes.indexOf(NEWLINE, start);
  const bytes = run.bytes.subarray(start, newline < 0 ? run.bytes.length : newline);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return { offset: run.offset + start, bytes, text };
}

/** The lines of the last `size` bytes of a log, without one that begins before them. */
export async function readTail(log: Log, size: number): Promise<Run> {
  const from = Math.max(log.size - size, 0);
  return from === 0 ? { offset: 0, bytes: await log.read(0, log.size) } : readFrom(log, from, size + 1);
}

/** The lines that begin within `size` bytes from any byte on; the first of them even if it ends later. */
export async function readFrom(log: Log, from: number, size: number): Promise<Run> {
  if (from === 0) return readRun(log, 0, size);
  // The byte before tells whether a line begins right here.
  for (let at = from - 1; at < log.size; at += size) {
    const bytes = await log.read(at, Math.min(at + size, log.size));
    const newline = bytes.indexOf(NEWLINE);
    if (newline < 0) continue;
    const end = bytes.lastIndexOf(NEWLINE);
    const offset = at + newline + 1;
    return end > newline ? { offset, bytes: bytes.subarray(newline + 1, end + 1) } : readRun(log, offset, size);
  }
  return { offset: log.size, bytes: new Uint8Array(0) };
}

const NEWLINE = 10;
const RUN = 512 * 1024;
const MAX_LINE = 32 * 1024 * 1024;
