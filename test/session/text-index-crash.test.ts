import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLogger } from "../../src/kit/log.ts";
import type { SearchText } from "../../src/session/search.ts";
import { openTextIndex } from "../../src/session/text-index.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createFakeClock, startOfTime } from "../support/fake-clock.ts";
import { createMemoryFiles, type MemoryFiles } from "../support/memory-files.ts";

// Small enough that the story below begins segments, drops the forgotten ones and makes others anew.
const limits = { segment: 60 * 1024, total: 10 * 1024 * 1024 };
const log = createLogger(() => 0, []);

function open(files: MemoryFiles) {
  return openTextIndex({ logs: createFolderLogs(files, "/state"), clock: createFakeClock(), log, limits });
}

/** What must be found, and what must not, after each step that was acknowledged. */
interface Truth {
  readonly kept: Map<string, string>;
  readonly gone: Set<string>;
}

/** A life of an index. Ends early when the disk does. */
async function story(files: MemoryFiles, truth: Truth): Promise<void> {
  const index = await open(files);
  for (let step = 0; step < 16; step++) {
    const sessionId = `s${step % 4}`;
    const texts = Array.from({ length: 40 }, (_, n): SearchText => {
      const entryId = `${step}-${n}`;
      const text = `word${step}x${n} ${"padding for the block ".repeat(20)}`;
      return { sessionId, entryId, role: "user", timestamp: startOfTime + step, text };
    });
    index.add(texts);
    if (step % 3 === 2) {
      const gone = [`s${(step + 1) % 4}`, `s${(step + 2) % 4}`];
      const forgotten = [...truth.kept].flatMap(([entryId, owner]) => (gone.includes(owner) ? [entryId] : []));
      // Until it is acknowledged, either may be.
      for (const entryId of forgotten) truth.kept.delete(entryId);
      for (const owner of gone) index.forget(owner);
      await index.flush();
      for (const entryId of forgotten) truth.gone.add(entryId);
    } else await index.flush();
    for (const { entryId } of texts) truth.kept.set(entryId, sessionId);
  }
  await index.close();
}

async function check(files: MemoryFiles, truth: Truth, at: string): Promise<void> {
  const index = await open(files);
  const find = async (entryId: string): Promise<readonly string[]> => {
    const text = `word${entryId.replace("-", "x")} padding`;
    const { hits } = await index.query({ text, limit: 20, visible: () => true, deadlineMs: 60_000 });
    return hits.map((hit) => hit.entryId).filter((found) => found === entryId);
  };
  for (const entryId of sample(truth.kept.keys())) assert.equal(await find(entryId), [entryId], `${at}: ${entryId}`);
  for (const entryId of sample(truth.gone)) assert.equal(await find(entryId), [], `${at}: ${entryId} was forgotten`);
  assert.ok(truth.kept.size === 0 || index.syncedTo > 0);
  index.add([{ sessionId: "s9", entryId: "later", role: "user", timestamp: startOfTime, text: "written afterwards" }]);
  await index.flush();
  await index.close();
  const again = await open(files);
  const { hits } = await again.query({ text: "afterwards", limit: 5, visible: () => true });
  assert.equal(
    hits.map(({ entryId }) => entryId),
    ["later"],
    at,
  );
}

function sample(ids: Iterable<string>): readonly string[] {
  return [...ids].filter((_, at) => at % 13 === 0);
}

test("killed at any write, the next process finds what was acknowledged, and nothing that was forgotten", async () => {
  for (let at = 1; ; at++) {
    const files = createMemoryFiles();
    const truth: Truth = { kept: new Map(), gone: new Set() };
    files.crashAfter(at);
    const survived = await story(files, truth).then(
      () => true,
      () => false, // the crash
    );
    files.recover();
    await check(files, truth, `operation ${at}`);
    if (!survived) continue;
    assert.ok(at > 50, `${at} operations are too few for this test to mean anything`);
    return;
  }
});

test("no file stays that an index left behind when it was killed", async () => {
  const clean = createMemoryFiles();
  await story(clean, { kept: new Map(), gone: new Set() });
  assert.not.ok(textFiles(clean).includes(1), "the first segment was made anew");
  for (let at = 1; at <= clean.operations; at += 2) {
    const files = createMemoryFiles();
    files.crashAfter(at);
    await story(files, { kept: new Map(), gone: new Set() }).catch(() => undefined); // the crash
    files.recover();
    await story(files, { kept: new Map(), gone: new Set() });
    const catalogue = JSON.parse(files.snapshot()["/state/search/segments.jsonl"] ?? "") as { segments: number[] };
    assert.equal(
      textFiles(files).filter((id) => !catalogue.segments.includes(id)),
      [],
      `operation ${at}`,
    );
  }
});

function textFiles(files: MemoryFiles): readonly number[] {
  return Object.keys(files.snapshot()).flatMap((path) => {
    const id = /\/(?:texts|blocks)-(\d+)\.jsonl$/.exec(path)?.[1];
    return id === undefined ? [] : [Number(id)];
  });
}

test.run();
