import { test } from "uvu";
import * as assert from "uvu/assert";
import { box, clean, columns, width, wrap } from "../../src/cli/layout.ts";

test("a box is as wide as its widest line", () => {
  const lines = box(["Service: not installed", `Target: ${"x".repeat(40)}`]).split("\n");
  assert.equal(new Set(lines.map(width)).size, 1);
  assert.is(lines[0], `┌${"─".repeat(50)}┐`);
  assert.ok(lines[1]?.startsWith("│ Service: not installed "));
});

test("columns are aligned by what is seen, not by bytes or styling", () => {
  assert.is(
    columns([
      ["\u001b[31mab\u001b[39m", "x"],
      ["漢字", "y"],
    ]),
    "\u001b[31mab\u001b[39m    x\n漢字  y",
  );
});

test("long text is broken at spaces", () => {
  assert.equal(wrap("one two three", 7), ["one two", "three"]);
});

test("threat: text from elsewhere cannot move the cursor or turn the direction of writing", () => {
  assert.is(clean("a\u001b[2Jb\u009b1m\u202ec\nd"), "a?[2Jb?1m?c d");
});

test.run();
