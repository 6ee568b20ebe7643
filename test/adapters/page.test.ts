import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { pageFolder } from "../../adapters/machine/page.ts";

test("the page's files are where each way of shipping has them", () => {
  assert.is(pageFolder(join("/srv", "adapters", "bun", "main.ts")), join("/srv", "dist", "page"), "from source");
  assert.is(pageFolder(join("/x", "clawlet", "dist", "main-node.js")), join("/x", "clawlet", "dist", "page"));
  assert.is(pageFolder("/$bunfs/root/clawlet"), join("/$bunfs", "root", "page"), "inside the executable");
});

test.run();
