import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../adapters/machine/files.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { storeContract } from "../contract/store.ts";
import { runAgain } from "../support/again.ts";

const [mode, written = ""] = process.argv.slice(2);

if (mode === "write") {
  const store = createFolderStore(files, written);
  for (let step = 0; ; step++) {
    await Promise.all([store.append("log", [`line ${step}`]), store.change("doc", () => `${step}`.repeat(1000))]);
    process.stdout.write(`${step}\n`);
  }
} else {
  const root = mkdtempSync(join(tmpdir(), "clawlet-store-"));
  let folders = 0;
  storeContract("disk", () => createFolderStore(files, join(root, String(folders++))));

  test("kill -9 of a writer loses no line that it acknowledged, and leaves its document whole", async () => {
    const folder = join(root, "killed");
    const writer = runAgain("write", folder);
    let last = -1;
    while (last < 40) last = Number((await writer.line()) ?? Number.NaN);
    await writer.kill();
    const store = createFolderStore(files, folder);
    await store.append("log", ["after"]);
    const lines = ((await store.read("log")) ?? "").trimEnd().split("\n");
    assert.equal(
      lines.slice(0, last + 1),
      Array.from({ length: last + 1 }, (_, step) => `line ${step}`),
    );
    assert.is(lines.at(-1), "after");
    const document = (await store.read("doc")) ?? "";
    const step = Number(document.slice(0, document.length / 1000));
    assert.is(document, `${step}`.repeat(1000));
    assert.ok(step >= last);
    assert.equal(
      (await store.keys("")).filter((key) => key !== "log.torn"),
      ["doc", "log"],
    );
  });

  test.after(() => rmSync(root, { recursive: true, force: true }));
  test.run();
}
