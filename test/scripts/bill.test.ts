import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { billOfMaterials, thirdPartyNotices } from "../../scripts/build/bill.ts";
import { bundledParts, type Part } from "../../scripts/build/bundled.ts";

const output = (...inputs: readonly [string, number][]) => ({
  inputs: {},
  outputs: {
    "dist/a.js": {
      bytes: 1,
      imports: [],
      exports: [],
      inputs: Object.fromEntries(inputs.map(([path, bytesInOutput]) => [path, { bytesInOutput }])),
    },
  },
});
const parts = bundledParts([
  output(["src/main.ts", 9], ["node_modules/ws/lib/a.js", 3], ["node_modules/uqr/index.js", 0]),
  output(["node_modules/@hono/node-server/dist/index.mjs", 2], ["node_modules/ws/lib/b.js", 2]),
]);

test("the parts are the packages whose code is in the output, as the lock file has them", () => {
  assert.equal(
    parts.map(({ name }) => name),
    ["@hono/node-server", "ws"],
  );
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  assert.is(parts[1]?.version, packages["node_modules/ws"].version);
});

test("the bill names each part with its licence, origin and hash, and does not change from build to build", () => {
  const text = billOfMaterials(parts, { type: "application", commit: "abc1234" });
  assert.is(billOfMaterials(parts, { type: "application", commit: "abc1234" }), text);
  const { bomFormat, specVersion, metadata, components, dependencies } = JSON.parse(text);
  assert.equal([bomFormat, specVersion, metadata.component.name], ["CycloneDX", "1.6", "clawlet"]);
  const [server] = components;
  assert.equal([server.group, server.name, server.licenses], ["@hono", "node-server", [{ license: { id: "MIT" } }]]);
  assert.match(server.purl, /^pkg:npm\/%40hono\/node-server@\d/);
  assert.match(server.hashes[0].content, /^[0-9a-f]{128}$/);
  assert.equal(
    dependencies[0].dependsOn,
    components.map((each: { "bom-ref": string }) => each["bom-ref"]),
  );
});

test("the notices carry each licence word for word, and what has none is not shipped", () => {
  const notices = thirdPartyNotices(parts);
  assert.ok(notices.includes(readFileSync("node_modules/ws/LICENSE", "utf8").trim()));
  const [, ws] = parts;
  assert.throws(
    () => thirdPartyNotices([{ ...(ws as Part), folder: "node_modules/.bin", name: "x" }]),
    /no file with its licence/,
  );
});

test.run();
