import { mkdtemp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../adapters/machine/files.ts";
import { walk } from "../../src/host/walk.ts";

const all = { limit: 100, enter: () => true };

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "walk-"));
  try {
    await mkdir(join(folder, "a", "b"), { recursive: true });
    await writeFile(join(folder, "a", "b", "deep"), "");
    await writeFile(join(folder, "top"), "");
    await work(folder.replaceAll("\\", "/"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a walk finds everything, nearest first, and enters only what it may", () =>
  inFolder(async (folder) => {
    assert.equal(
      (await walk(files, folder, all)).entries.map(({ name }) => name),
      ["a", "top", "a/b", "a/b/deep"],
    );
    const shallow = await walk(files, folder, { ...all, enter: (name) => name !== "a/b" });
    assert.equal(
      shallow.entries.map(({ name }) => name),
      ["a", "top", "a/b"],
    );
  }));

test("threat M: a walk tells links and follows none, in circles or out of the folder", () =>
  inFolder(async (folder) => {
    await symlink(folder, join(folder, "circle"));
    await symlink(tmpdir(), join(folder, "out"));
    await symlink(join(folder, "nothing"), join(folder, "broken"));
    const { entries } = await walk(files, folder, all);
    assert.equal(
      entries.filter(({ link }) => link).map(({ name }) => name),
      ["circle", "out"],
    );
    assert.is(entries.length, 6);
  }));

test("a walk ends at its limit and says so; of a folder that is not there it finds nothing", () =>
  inFolder(async (folder) => {
    const { entries, cut } = await walk(files, folder, { ...all, limit: 3 });
    assert.equal([entries.length, cut], [3, true]);
    assert.equal(await walk(files, `${folder}/none`, all), { entries: [], unreadable: [], cut: false });
  }));

test("the disk of a folder has free space that is known", async () => {
  assert.ok(((await files.freeSpace?.(tmpdir())) ?? 0) > 0);
});

test.run();
