import { constants, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../adapters/machine/files.ts";
import { filesContract } from "../contract/files.ts";
import { scriptedHost } from "../support/host.ts";

const root = mkdtempSync(join(tmpdir(), "clawlet-files-"));
let made = 0;

filesContract("disk", files, async () => {
  const folder = `${root}/${made++}`;
  await files.makeFolder(folder);
  return folder;
});

const scripted = scriptedHost().files;
filesContract("scripted", scripted, async () => {
  const folder = `/test/${made++}`;
  await scripted.makeFolder(folder);
  return folder;
});

test("threat M: a link laid where a file is written is replaced, not followed", async () => {
  const folder = `${root}/${made++}`;
  await files.makeFolder(folder);
  await files.write(`${folder}/victim`, "untouched");
  symlinkSync(`${folder}/victim`, `${folder}/a`);
  await files.write(`${folder}/a`, "new");
  assert.is(await files.read(`${folder}/victim`), "untouched");
  assert.is(await files.read(`${folder}/a`), "new");
  assert.is(await files.create(`${folder}/a`, "x"), false);
});

test("threat S: modes hold under any umask", async () => {
  const before = process.umask(0);
  try {
    const folder = `${root}/${made++}`;
    await files.makeFolder(folder);
    await files.write(`${folder}/a`, "1");
    await (await files.open(`${folder}/log`)).close();
    assert.is((await files.stat(folder))?.mode, 0o700);
    assert.is((await files.stat(`${folder}/a`))?.mode, 0o600);
    assert.is((await files.stat(`${folder}/log`))?.mode, 0o600);
  } finally {
    process.umask(before);
  }
});

test("a watched folder tells what changed until it is let go", async () => {
  const folder = `${root}/${made++}`;
  await files.makeFolder(folder);
  const changed = new Set<string>();
  const stop = files.watch(folder, (path) => void changed.add(path));
  const deadline = Date.now() + 5000;
  for (let turn = 0; !changed.has(`${folder}/a`) && Date.now() < deadline; turn++) {
    await files.write(`${folder}/a`, String(turn));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  stop();
  assert.ok(changed.has(`${folder}/a`));
});

test.after(() => rmSync(root, { recursive: true, force: true }));
test("a file that is opened for durable appends is written and flushed in one call, where that is known to work", async () => {
  if (process.platform !== "linux") {
    process.stdout.write("skipped: needs Linux\n");
    return;
  }
  const path = join(root, "durable.log");
  const flagsOf = (): readonly number[] =>
    readdirSync("/proc/self/fd")
      .filter((fd) => linkOf(`/proc/self/fd/${fd}`) === path)
      .map((fd) => parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "", 8));
  const isFlushed = (flags: number): boolean => (flags & constants.O_DSYNC) === constants.O_DSYNC;
  for (const durable of [true, false]) {
    const file = await files.open(path, { durable });
    await file.append("line\n", { flush: true });
    assert.equal(flagsOf().map(isFlushed), [durable]);
    await file.close();
  }
  assert.is(await files.read(path), "line\nline\n");
});

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // closed since it was listed
  }
}

test.run();
