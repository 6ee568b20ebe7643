import { test } from "uvu";
import * as assert from "uvu/assert";
import { watchFiles } from "../../src/config/watch.ts";
import { createFakeClock, settle } from "../support/fake-clock.ts";
import { createMemoryFiles, type MemoryFiles } from "../support/memory-files.ts";

const file = "/state/openclaw.json";

test("one save is one change, once it has been quiet for a while", async () => {
  const { files, calls, clock } = await watching();
  for (let step = 0; step < 5; step++) {
    files.put(file, `{ a: ${step}`);
    await clock.advance(100);
  }
  assert.is(calls(), 0);
  await clock.advance(200);
  assert.is(calls(), 1);
});

test("it is watched on when the file is replaced, taken away and made again, however often", async () => {
  const { files, calls, clock } = await watching();
  const ways: (() => Promise<void>)[] = [
    () => files.write(file, "1"),
    async () => {
      files.put("/state/4913", "2");
      await files.rename("/state/4913", file);
    },
    () => files.rename(file, `${file}~`),
    async () => files.put(file, "3"),
    () => files.remove(file),
    async () => files.put(file, "4"),
  ];
  for (const [index, way] of [...ways, ...ways].entries()) {
    await way();
    await clock.advance(300);
    assert.is(calls(), index + 1);
  }
});

test("other files in the folder are nobody's business", async () => {
  const { files, calls, clock } = await watching();
  files.put("/state/gateway.lock", "1");
  await clock.advance(20_000);
  assert.is(calls(), 0);
});

for (const [what, watch] of [
  ["that tells nothing", () => () => undefined],
  [
    "that cannot be had",
    () => {
      throw new Error("ENOSPC: System limit for number of file watchers reached");
    },
  ],
] as const) {
  test(`without a watch, or with one ${what}, a change is found by looking`, async () => {
    const { files, calls, clock } = await watching({ watch });
    await clock.advance(5000);
    assert.is(calls(), 0, "nothing happened");
    files.put(file, "{ b: 1 }");
    await clock.advance(5300);
    await clock.advance(5300);
    assert.is(calls(), 1);
  });
}

test("a folder that is made anew is watched anew, and files that come to be included too", async () => {
  let paths = [file];
  const { files, calls, clock } = await watching({ paths: () => paths });
  await files.remove("/state");
  await clock.advance(5300);
  files.put(file, "1");
  await clock.advance(5300);
  const before = calls();
  paths = [file, "/more/part.json"];
  files.put("/more/part.json", "1");
  files.put(file, "2");
  await clock.advance(300);
  files.put("/more/part.json", "2");
  await clock.advance(300);
  assert.is(calls(), before + 2);
});

test("a change during the call is another call, and none comes after the end", async () => {
  const { files, calls, clock, stop, hold, release } = await watching();
  hold();
  files.put(file, "1");
  await clock.advance(300);
  files.put(file, "2");
  await clock.advance(900);
  assert.is(calls(), 1, "one at a time");
  release();
  await clock.advance(300);
  assert.is(calls(), 2);
  files.put(file, "3");
  stop();
  await clock.advance(20_000);
  assert.equal([calls(), clock.armed], [2, 0]);
});

test.run();

/** A watch over the file that has made its first call. */
async function watching(given: { watch?: MemoryFiles["watch"]; paths?: () => readonly string[] } = {}) {
  const clock = createFakeClock();
  const disk = createMemoryFiles(() => clock.now());
  const files: MemoryFiles = Object.assign(disk, given.watch && { watch: given.watch });
  files.put(file, "{}");
  let calls = 0;
  let held: Promise<void> | undefined;
  let release = (): void => undefined;
  const stop = watchFiles(
    { clock, files },
    {
      files: given.paths ?? (() => [file]),
      debounceMs: () => 300,
      async changed() {
        calls++;
        await held;
      },
    },
  );
  await settle();
  await clock.advance(300);
  assert.is(calls, 1, "what changed before it was watched");
  return {
    files,
    clock,
    stop,
    calls: () => calls - 1,
    hold: () => void (held = new Promise((resolve) => (release = resolve))),
    release: () => {
      held = undefined;
      release();
    },
  };
}
