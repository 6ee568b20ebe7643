import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { tmpdir } from "node:os";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { calledAs } from "../../adapters/machine/called-as.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "clawlet-called-")));
const executable = join(folder, "clawlet");
const link = join(folder, "bin", "clawdbot");
mkdirSync(join(folder, "bin"));
writeFileSync(executable, "");
writeFileSync(join(folder, "other"), "");
symlinkSync(executable, link);

test.after(() => rmSync(folder, { recursive: true }));

test("a link that is named with its folder is kept", () => {
  assert.is(calledAs(link, { executable, path: undefined }), link);
});

test("a bare name is looked for in PATH", () => {
  const path = [join(folder, "nowhere"), join(folder, "bin")].join(delimiter);
  assert.is(calledAs("clawdbot", { executable, path }), link);
});

test("a name that leads elsewhere, or nowhere, is not believed", () => {
  for (const argv0 of [join(folder, "other"), join(folder, "missing"), "clawdbot", ""])
    assert.is(calledAs(argv0, { executable, path: folder }), executable);
});

test.run();
