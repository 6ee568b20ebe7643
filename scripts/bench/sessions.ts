// Figures of the sessions' storage when there is much of it, on a real disk.
//   bun scripts/bench/sessions.ts [--sessions 100000] [--messages 200000]
// With --build it only makes them, in that folder: it calls itself so, for its own memory to be that of a fresh process.
// Run with the runtime to be measured; best on an idle machine.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mri from "mri";
import { clock } from "../../adapters/machine/clock.ts";
import { files } from "../../adapters/machine/files.ts";
import { createLogger } from "../../src/kit/log.ts";
import { noUsage } from "../../src/session/message.ts";
import { openSessions } from "../../src/session/open-sessions.ts";
import { newRow } from "../../src/session/row.ts";
import type { Sessions } from "../../src/session/sessions.ts";
import type { NewEntry } from "../../src/session/transcript.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { seal } from "../../src/store/seal.ts";

const options = mri(process.argv.slice(2), { string: ["sessions", "messages", "build"] });
const sessionCount = Number(options["sessions"] || 100_000);
const messageCount = Number(options["messages"] || 200_000);
const folder = String(options["build"] || mkdtempSync(join(tmpdir(), "clawlet-bench-")));
const long = "agent:main:long";

if (options["build"]) {
  await build();
  process.exit(0);
}
try {
  spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1), "--build", folder], { stdio: "inherit" });
  const idle = process.memoryUsage().rss;
  const started = performance.now();
  const sessions = await open();
  row("open", `${(performance.now() - started).toFixed(0)} ms`);
  row("memory", `${((process.memoryUsage().rss - idle) / 1e6).toFixed(0)} MB more than before`);
  await measure("list, 100 newest", 200, () => sessions.list({ limit: 100 }));
  await measure("list, 100 of one agent", 200, () => sessions.list({ limit: 100, agentId: "main" }));
  await measure("list, 100 by a word", 5, () => sessions.list({ limit: 100, search: "topic 99" }));
  const of = sessions.get(long);
  if (!of) throw new Error("the long session is gone");
  const transcript = sessions.transcript(of);
  await measure("transcript opened, page of 200", 1, () => transcript.page({ limit: 200 }));
  await measure("page of 200 at the end", 200, () => transcript.page({ limit: 200 }));
  let at = 0;
  const somewhere = () => (at = (at + 7919 * 13) % (messageCount - 400));
  await measure("page of 200 anywhere", 200, () => transcript.page({ limit: 200, offset: 200 + somewhere() }));
  const [middle] = await transcript.page({ limit: 1, offset: messageCount / 2 });
  await measure("entry by its id", 200, () => transcript.find(middle?.id ?? ""));
  await measure("append, durable", 500, (turn) => transcript.append([message(turn)]));
  await measure("ensure, durable", 500, (turn) => sessions.ensure(`agent:main:new-${turn}`, { agentId: "main" }));
  await measure("ensure, durable, 100 at once", 20, (turn) =>
    Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        sessions.ensure(`agent:main:many-${turn}-${index}`, { agentId: "main" }),
      ),
    ),
  );
  await sessions.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function open(): Promise<Sessions> {
  const log = createLogger(() => clock.now(), [({ level, message }) => print(`${level} ${message}`)]);
  return openSessions({
    logs: createFolderLogs(files, folder),
    store: createFolderStore(files, folder),
    clock,
    log,
    stateFolder: folder,
  });
}

async function build(): Promise<void> {
  const logs = createFolderLogs(files, folder);
  const index = await logs.open("sessions/index.jsonl");
  const now = clock.now();
  for (let made = 0; made < sessionCount; made += 5000)
    await index.append(
      Array.from({ length: Math.min(5000, sessionCount - made) }, (_, step) => {
        const number = made + step;
        const key = number === 0 ? long : `agent:main:webchat:direct:${number}`;
        return seal({
          ...newRow(key, { agentId: "main", derivedTitle: `Question about topic ${number}` }, now - number),
          lastMessagePreview: `An answer to question ${number}, which goes on for some more words`,
          modelProvider: "clawlet",
          model: "echo",
        });
      }),
    );
  await index.close();
  const sessions = await open();
  const of = sessions.get(long);
  if (!of) throw new Error("the long session was not made");
  for (let made = 0; made < messageCount; made += 1000)
    await sessions.transcript(of).append(Array.from({ length: 1000 }, (_, step) => message(made + step)));
  await sessions.close();
}

function message(number: number): NewEntry {
  const text = `Message ${number}. ${"Some words of a conversation. ".repeat((number * 7919) % 13)}`;
  const content = [{ type: "text", text }] as const;
  const timestamp = clock.now();
  return {
    type: "message",
    message:
      number % 2 === 0
        ? { role: "user", content, timestamp }
        : {
            role: "assistant",
            content,
            timestamp,
            usage: noUsage,
            stopReason: "stop",
            api: "clawlet-echo",
            provider: "clawlet",
            model: "echo",
          },
  };
}

async function measure(name: string, times: number, work: (turn: number) => unknown): Promise<void> {
  const taken: number[] = [];
  for (let turn = 0; turn < times; turn++) {
    const started = performance.now();
    await work(turn);
    taken.push(performance.now() - started);
  }
  taken.sort((a, b) => a - b);
  const at = (share: number): string => `${(taken[Math.floor((taken.length - 1) * share)] ?? 0).toFixed(2)} ms`;
  row(name, times === 1 ? at(0) : `median ${at(0.5)}, 99% ${at(0.99)}`);
}

function row(name: string, text: string): void {
  print(`${name.padEnd(34)}${text}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
