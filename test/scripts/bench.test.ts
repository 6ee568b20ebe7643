import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { size } from "../../scripts/bench/figures/size.ts";
import { describeMachine } from "../../scripts/bench/machine.ts";
import { referenceSubject } from "../../scripts/bench/subject.ts";
import { markdownTable, textTable } from "../../scripts/bench/table.ts";

const rows = [
  ["start.listening", { label: "start to listening", unit: "ms" }],
  ["calls.single", { label: "calls", unit: "/s" }],
  ["size.packages", { label: "packages", unit: "" }],
] as const;
const columns = [
  { name: "binary", version: "bun 1.2.3", readings: { "start.listening": { value: 49.4, bare: 12 } } },
  { name: "node", version: "", readings: { "calls.single": { value: 12_345.6, bare: 24_000 } } },
];
let folder: string;
test.before.each(() => void (folder = mkdtempSync(join(tmpdir(), "clawlet-test-"))));
test.after.each(() => rmSync(folder, { recursive: true }));

test("the table has what was measured, and how many times a bare server's figure it is", () => {
  const lines = textTable(rows, columns).split("\n");
  assert.equal(lines, [
    "                        binary: bun 1.2.3            node",
    "start to listening, ms          49 (4.1×)               –",
    "calls, /s                               –  12,346 (0.51×)",
    "",
  ]);
});

test("the README's table says the same", () => {
  const lines = markdownTable(rows, columns).split("\n");
  assert.equal(lines.slice(0, 3), [
    "|  | binary: bun 1.2.3 | node |",
    "| --- | ---: | ---: |",
    "| start to listening (ms) | 49 (4.1×) | – |",
  ]);
});

test("a machine is told by what figures depend on", () => {
  const machine = { processor: "A Processor", cores: 2, memoryGb: 8, kernel: "Linux 6.1" };
  assert.is(describeMachine(machine), "2 cores, A Processor, 8 GB, Linux 6.1");
});

test("the reference is the program that the package in a folder names", () => {
  const place = join(folder, "node_modules", "openclaw");
  write(join(place, "package.json"), JSON.stringify({ bin: { helper: "no.mjs", openclaw: "bin/it.mjs" } }));
  write(join(place, "bin", "it.mjs"), 'console.log("OpenClaw 1.2.3");');
  const subject = referenceSubject(place);
  assert.is(subject?.version, "OpenClaw 1.2.3");
  assert.is(subject?.gateway[1], join(place, "bin", "it.mjs"));
  assert.is(subject?.installed, join(folder, "node_modules"));
  assert.throws(() => referenceSubject(join(folder, "nowhere")), /there is no such file or folder/);
});

test("packages count once each, scoped and nested ones too", async () => {
  const installed = join(folder, "node_modules");
  for (const name of ["a", "@scope/b", "@scope/c", "a/node_modules/d", ".bin"])
    write(join(installed, name, "package.json"), "0123456789");
  const readings = await size.measure({ name: "x", version: "", gateway: [], installed });
  assert.is(readings["packages"]?.value, 4);
  assert.is(Math.round((readings["installed"]?.value ?? 0) * 1e6), 50);
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

test.run();
