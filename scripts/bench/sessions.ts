// Figures of a gateway that keeps very much: many sessions, one of them very long, all of it searched.
//   bun scripts/bench/sessions.ts [--runtime binary,bun,deno,node,node24] [--sessions 100000] [--messages 200000]
// Each over a real WebSocket to a real process, the start beside that of a gateway that keeps nothing. The state is made
// once, by the storage itself; with --build FOLDER nothing else is done. Run on an idle machine with two cores or more.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mri from "mri";
import { clock } from "../../adapters/machine/clock.ts";
import { files } from "../../adapters/machine/files.ts";
import { createLogger } from "../../src/kit/log.ts";
import { openIndexLog } from "../../src/session/index-log.ts";
import { noUsage } from "../../src/session/message.ts";
import { openSessions } from "../../src/session/open-sessions.ts";
import { newRow } from "../../src/session/row.ts";
import type { SessionRow } from "../../src/session/sessions.ts";
import { openTextIndex } from "../../src/session/text-index.ts";
import type { Entry } from "../../src/session/transcript.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { ask, hello } from "./caller.ts";
import { median, residentMb, sleep, startGateway } from "./process.ts";
import { chosenSubjects, type Subject } from "./subject.ts";

const options = mri(process.argv.slice(2), { string: ["runtime", "sessions", "messages", "build"] });
const sessionCount = Number(options["sessions"] || 100_000);
const messageCount = Number(options["messages"] || 200_000);
const long = "agent:main:long";
/** In one message alone, and in none. */
const [rare, none] = ["unmistakable", "nowhere"];

if (options["build"]) {
  await build(String(options["build"]));
  process.exit(0);
}
const made = mkdtempSync(join(tmpdir(), "clawlet-bench-"));
try {
  // Another process, so that this one has its memory for measuring.
  const args = [...process.execArgv, ...process.argv.slice(1), "--build", join(made, ".openclaw")];
  spawnSync(process.execPath, args, { stdio: "inherit" });
  for (const subject of await chosenSubjects(String(options["runtime"] || ""))) {
    print(`\n${subject.name}`);
    await measureAll(subject);
  }
} finally {
  rmSync(made, { recursive: true, force: true });
}
process.exit(0);

async function measureAll(subject: Subject): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "clawlet-bench-"));
  cpSync(made, home, { recursive: true });
  try {
    const [empty, full] = [await starts(subject), await starts(subject, home)];
    row("start to listening", `${full.ms.toFixed(0)} ms`, `${empty.ms.toFixed(0)} ms with nothing kept`);
    row("resident memory", `${full.mb.toFixed(0)} MB`, `${empty.mb.toFixed(0)} MB with nothing kept`);
    const server = await startGateway(subject, { home });
    const socket = await hello(server.port);
    let turn = 0;
    async function measure(name: string, times: number, request: () => readonly [method: string, params: object]) {
      const taken: number[] = [];
      for (let time = 0; time < times; time++) {
        const [method, params] = request();
        const text = JSON.stringify({ type: "req", id: String(++turn), method, params });
        const started = performance.now();
        const answer = await ask(socket, text);
        taken.push(performance.now() - started);
        if (!answer.includes('"ok":true')) throw new Error(`${name}: ${answer.slice(0, 300)}`);
      }
      const sorted = taken.toSorted((a, b) => a - b);
      const late = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
      row(name, `${median(taken).toFixed(2)} ms`, `first ${taken[0]?.toFixed(2)}, 99% ${late.toFixed(2)}`);
    }
    const history = (offset?: number) => ["chat.history", { sessionKey: long, limit: 200, offset }] as const;
    const search = (query: string) => ["sessions.search", { query, limit: 10 }] as const;
    const somewhere = () => 1000 + ((turn * 7919 * 13) % Math.max(messageCount - 2000, 1));
    await measure("sessions.list, 100 of them", 300, () => ["sessions.list", { limit: 100 }]);
    await measure("sessions.list, 100 by a word", 5, () => ["sessions.list", { limit: 100, search: "topic 99" }]);
    await measure("chat.history, the last 200", 300, () => history());
    await measure("chat.history, 200 anywhere", 300, () => history(somewhere()));
    await measure("sessions.search, a rare word", 30, () => search(rare));
    await measure("sessions.search, a common word", 30, () => search("conversation"));
    await measure("sessions.search, what is nowhere", 30, () => search(none));
    row("a line on this disk, flushed", `${(await flushes(home)).toFixed(2)} ms`, "no durable answer comes sooner");
    await measure("sessions.create, durable", 300, () => ["sessions.create", { key: `bench-${turn}` }]);
    const message = "A note in between.";
    await measure("chat.inject, durable", 300, () => ["chat.inject", { sessionKey: long, message }]);
    row("resident memory after that", `${residentMb(server.child).toFixed(0)} MB`);
    socket.close();
    await server.stop();
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** How long this disk takes for a line and its flush, in milliseconds. */
async function flushes(folder: string): Promise<number> {
  const file = await files.open(join(folder, "flushed"));
  const taken: number[] = [];
  for (let time = 0; time < 300; time++) {
    const started = performance.now();
    await file.append(`${"x".repeat(600)}\n`, { flush: true });
    taken.push(performance.now() - started);
  }
  await file.close();
  return median(taken);
}

/** Five starts: the middle time to listening, and the memory a moment later. */
async function starts(subject: Subject, home?: string): Promise<{ readonly ms: number; readonly mb: number }> {
  const taken: number[] = [];
  let mb = 0;
  for (let time = 0; time < 5; time++) {
    const server = await startGateway(subject, { home });
    taken.push(server.listeningMs);
    if (time === 4) {
      await sleep(1500);
      mb = residentMb(server.child);
    }
    await server.stop();
  }
  return { ms: median(taken), mb };
}

async function build(folder: string): Promise<void> {
  const log = createLogger(() => clock.now(), [({ level, message }) => print(`${level} ${message}`)]);
  const logs = createFolderLogs(files, folder);
  const rows: SessionRow[] = [];
  const index = await openIndexLog(logs, { log, live: () => ({ size: rows.length, rows: rows.toReversed() }) });
  const since = clock.now() - sessionCount * 1000;
  while (rows.length < sessionCount - 1) {
    const more = Array.from({ length: Math.min(1000, sessionCount - 1 - rows.length) }, (_, step) => {
      const number = rows.length + step;
      const key = `agent:main:webchat:direct:${number}`;
      const title = { derivedTitle: `Question about topic ${number}`, modelProvider: "clawlet", model: "echo" };
      const lastMessagePreview = `An answer to question ${number}, which goes on for some more words…`;
      return newRow(key, { agentId: "main", ...title, lastMessagePreview }, since + number * 1000);
    });
    rows.push(...more);
    await index.write(more);
  }
  await index.close();
  const search = await openTextIndex({ logs, clock, log });
  const store = createFolderStore(files, folder);
  const sessions = await openSessions({ logs, store, clock, log, search, stateFolder: folder });
  await sessions.import(long, { agentId: "main", entries: conversation() });
  await search.flush();
  await sessions.close();
  await search.close();
}

async function* conversation(): AsyncGenerator<readonly Entry[]> {
  for (let made = 0; made < messageCount; made += 1000) {
    yield Array.from({ length: Math.min(1000, messageCount - made) }, (_, step) => entry(made + step));
  }
}

function entry(number: number): Entry {
  const special = number === messageCount >> 1 ? ` ${rare}` : "";
  const text = `Message ${number}. ${"Some words of a conversation. ".repeat((number * 7919) % 13)}${special}`;
  const content = [{ type: "text", text }] as const;
  // Over days: what is a minute old is read again at a start, in case a crash kept it from the search index.
  const timestamp = clock.now() - (messageCount - number + 120) * 1000;
  const place = { id: `m${number}`, parentId: null, seq: number + 1, timestamp: new Date(timestamp).toISOString() };
  if (number % 2 === 0) return { type: "message", message: { role: "user", content, timestamp }, ...place };
  const model = { api: "clawlet-echo", provider: "clawlet", model: "echo" };
  const answer = { role: "assistant", content, timestamp, usage: noUsage, stopReason: "stop", ...model } as const;
  return { type: "message", message: answer, ...place };
}

function row(name: string, figure: string, note = ""): void {
  print(`  ${name.padEnd(36)}${figure.padStart(12)}   ${note}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
