import { test } from "uvu";
import * as assert from "uvu/assert";
import { formatPath, parsePath, valueAt } from "../../src/config/path.ts";

test("a path reads back as it was written", () => {
  for (const path of [["gateway", "port"], ["agents", "list", 0, "name"], ["groups", "-100.5", 'a"b'], ["a b"]]) {
    assert.equal(parsePath(formatPath(path)), path);
  }
});

test("a text that is no path says how to write one", () => {
  for (const text of ["", ".", "a..b", "a[", "a[x]", "a.", "[1]]", 'a["b]'])
    assert.throws(() => parsePath(text), /config path/, text);
});

test("keys that reach into JavaScript are refused", () => {
  for (const text of ["__proto__.x", "a.constructor", 'a["prototype"]'])
    assert.throws(() => parsePath(text), /not allowed/);
});

test("only what the value itself holds is found", () => {
  assert.is(valueAt({ a: [{ b: 1 }] }, ["a", "0", "b"]), 1);
  assert.is(valueAt({}, ["toString"]), undefined);
  assert.is(valueAt({ a: [1] }, ["a", "length"]), undefined);
});

test.run();
