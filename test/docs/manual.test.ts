import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { documentedCommands } from "../../scripts/docs/commands.ts";

const has = (program: string) => spawnSync(program, ["--version"]).error === undefined;
const needs = (program: string) => (name: string, body: () => void) =>
  has(program) ? test(name, body) : test.skip(`${name} (skipped: needs ${program})`, body);

test("the manual page has every command with its options", async () => {
  const text = readFileSync("docs/clawlet.1", "utf8");
  for (const { path, command } of await documentedCommands()) {
    const at = text.indexOf(`\n.Ss ${path}`);
    assert.ok(at >= 0, path);
    const section = text.slice(at, text.indexOf("\n.S", at + 4));
    for (const option of Object.keys(command.options))
      assert.match(section, `.It Fl -${option.replaceAll("-", "\\-")}`);
  }
});

needs("mandoc")("mandoc finds nothing wrong with the manual page", () => {
  assert.is(spawnSync("mandoc", ["-T", "lint", "docs/clawlet.1"], { encoding: "utf8" }).stdout, "");
});

needs("groff")("groff sets the manual page without a warning", () => {
  const { status, stderr, stdout } = spawnSync("groff", ["-ww", "-mdoc", "-Tutf8", "docs/clawlet.1"], {
    encoding: "utf8",
  });
  assert.equal([status, stderr], [0, ""]);
  assert.match(stdout, "keep a personal AI assistant online");
});

test.run();
