import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { pageFolder, pageReader } from "../../adapters/machine/page.ts";
import { Failure } from "../../src/kit/error.ts";

test("the page's files are where each way of shipping has them", () => {
  assert.is(pageFolder(join("/srv", "adapters", "bun", "main.ts")), join("/srv", "dist", "page"), "from source");
  assert.is(pageFolder(join("/x", "clawlet", "dist", "main-node.js")), join("/x", "clawlet", "dist", "page"));
  assert.is(pageFolder("/$bunfs/root/clawlet"), join("/$bunfs", "root", "page"), "inside the executable");
});

test("threat M the plain files of a folder are read under their names; where links lead is nobody's", async () => {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-page-"));
  mkdirSync(join(folder, "page", "assets"), { recursive: true });
  writeFileSync(join(folder, "secret"), "not a part of the page");
  writeFileSync(join(folder, "page", "index.html"), "<p>page</p>");
  writeFileSync(join(folder, "page", "assets", "a.js"), "1");
  symlinkSync(join(folder, "secret"), join(folder, "page", "secret"));
  symlinkSync(folder, join(folder, "page", "above"));
  const read = pageReader(join(folder, "main.js"));
  const files = await read();
  assert.equal([...files.keys()].sort(), ["assets/a.js", "index.html"]);
  assert.is(new TextDecoder().decode(files.get("index.html")), "<p>page</p>");
  assert.equal([...(await read(join(folder, "page"))).keys()].sort(), ["assets/a.js", "index.html"], "another folder");
  rmSync(folder, { recursive: true });
});

test("without a page it is said how to get one", async () => {
  const failure = await pageReader("/nowhere/main.js")().catch((error: unknown) => Failure.from(error));
  assert.instance(failure, Failure);
  assert.match(failure instanceof Failure ? failure.message : "", "/nowhere/page has no index.html");
  assert.match(failure instanceof Failure ? failure.hints.join() : "", "npm run build");
});

test.run();
