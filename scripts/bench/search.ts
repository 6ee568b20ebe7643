// Figures of the search over all sessions, on a real disk.
//   bun scripts/bench/search.ts [--messages 200000] [--sessions 1000]
// Run with the runtime to be measured; best on an idle machine.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mri from "mri";
import { clock } from "../../adapters/machine/clock.ts";
import { files } from "../../adapters/machine/files.ts";
import { createLogger } from "../../src/kit/log.ts";
import { openTextIndex } from "../../src/session/text-index.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";

const options = mri(process.argv.slice(2), { string: ["messages", "sessions"] });
const messages = Number(options["messages"] || 200_000);
const sessions = Number(options["sessions"] || 1000);
const folder = mkdtempSync(join(tmpdir(), "clawlet-bench-"));
const log = createLogger(Date.now, [(record) => process.stderr.write(`${record.message}\n`)]);
const open = () => openTextIndex({ logs: createFolderLogs(files, folder), clock, log });

// Words as unevenly spread as in a language, some thirty to a message.
const vocabulary = Array.from({ length: 20_000 }, (_, n) => `w${((n * 7919) % 1_000_003).toString(36)}`);
const word = (): string => vocabulary[Math.floor(Math.random() ** 4 * vocabulary.length)] ?? "";
const rare = "unmistakable";

try {
  const index = await open();
  await measure(`add ${messages} messages`, 1, async () => {
    for (let at = 0; at < messages; at++) {
      const text = `${Array.from({ length: 30 }, word).join(" ")}${at === messages >> 1 ? ` ${rare}` : ""}`;
      const timestamp = Date.now() - (messages - at) * 1000;
      index.add([{ sessionId: `session-${at % sessions}`, entryId: String(at), role: "user", timestamp, text }]);
      if (at % 10_000 === 0) await index.flush();
    }
    await index.flush();
  });
  await index.close();
  const idle = process.memoryUsage().rss;
  const again = await measure("open", 1, open);
  const find = (text: string) => again.query({ text, limit: 25, visible: () => true, deadlineMs: 10_000 });
  await measure("the first query, which reads the filters", 1, () => find(rare));
  await measure("a rare word", 50, () => find(rare));
  await measure("a common word", 50, () => find(vocabulary[0] ?? ""));
  await measure("two seldom words", 50, () => find(`${vocabulary[15_000]} ${vocabulary[16_000]}`));
  await measure("a word that is nowhere", 50, () => find("nowhere"));
  await measure("two characters that are nowhere, which no filter knows", 5, () => find("жж"));
  await measure("forget one session", 1, async () => {
    again.forget("session-7");
    await again.flush();
  });
  row("memory", `${((process.memoryUsage().rss - idle) / 1e6).toFixed(0)} MB more than before`);
  await again.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure<T>(name: string, times: number, work: () => Promise<T>): Promise<T> {
  const spent: number[] = [];
  for (let time = 0; ; time++) {
    const started = performance.now();
    const result = await work();
    spent.push(performance.now() - started);
    if (time + 1 < times) continue;
    const sorted = spent.toSorted((a, b) => a - b);
    const median = sorted[sorted.length >> 1] ?? 0;
    row(name, times === 1 ? `${median.toFixed(1)} ms` : `${median.toFixed(2)} ms (worst ${sorted.at(-1)?.toFixed(2)})`);
    return result;
  }
}

function row(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(56)} ${value}\n`);
}
