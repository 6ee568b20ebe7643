import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { clock } from "../../adapters/machine/clock.ts";
import { files } from "../../adapters/machine/files.ts";
import { processes } from "../../adapters/machine/processes.ts";
import { acquireLock } from "../../src/store/lock.ts";
import { runAgain } from "../support/again.ts";

const machine = { files, processes, clock };
const [mode, path = ""] = process.argv.slice(2);

if (mode === "hold") {
  const lock = await acquireLock(machine, path, info());
  process.stdout.write(`${lock.held ? "held" : `owner ${lock.owner.pid}`}\n`);
  setInterval(() => undefined, 60_000); // holds it until it is killed
} else {
  test("a running process holds the lock; kill -9, and the next start has it at once", async () => {
    await inFolder(async (lockPath) => {
      const holder = runAgain("hold", lockPath);
      assert.is(await holder.line(), "held");
      const refused = await acquireLock(machine, lockPath, info());
      assert.is(refused.held ? "held" : refused.owner.pid, holder.pid);
      await holder.kill();
      const started = performance.now();
      const lock = await acquireLock(machine, lockPath, info());
      assert.ok(lock.held);
      assert.ok(performance.now() - started < 1_000);
      await lock.release();
      assert.is(await files.read(lockPath), undefined);
    });
  });

  test("of several processes that start at once over a dead one's lock, exactly one holds it", async () => {
    await inFolder(async (lockPath) => {
      const dead = runAgain("hold", lockPath);
      await dead.line();
      await dead.kill();
      const contenders = Array.from({ length: 5 }, () => runAgain("hold", lockPath));
      try {
        const said = await Promise.all(contenders.map((contender) => contender.line()));
        const winner = contenders[said.indexOf("held")];
        assert.equal(
          said.filter((line) => line !== "held"),
          Array.from({ length: 4 }, () => `owner ${winner?.pid}`),
        );
      } finally {
        await Promise.all(contenders.map((contender) => contender.kill()));
      }
    });
  });

  test.run();
}

function info() {
  return { port: 18789, since: Date.now(), command: "test" };
}

async function inFolder(run: (lockPath: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-lock-"));
  try {
    await run(join(folder, "gateway.lock"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
