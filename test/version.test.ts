import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { VERSION } from "../src/kit/version.ts";

test("the version that the program tells is the package's", () => {
  assert.is(VERSION, JSON.parse(readFileSync("package.json", "utf8")).version);
});

test.run();
