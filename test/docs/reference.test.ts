import { readdirSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { anchor } from "../../scripts/docs/markdown.ts";
import { pages } from "../../scripts/docs/pages.ts";
import { notState } from "../../src/backup/contents.ts";
import { statePlaces } from "../../src/backup/places.ts";
import { settings } from "../../src/host/settings.ts";
import { openWithoutPort } from "../support/no-port.ts";

const made = await pages();

for (const [path, text] of made) {
  test(`${path} is what the code says now (npm run docs writes it anew)`, () => {
    assert.equal(firstDifference(readFileSync(path, "utf8"), text), undefined);
  });
}

test("there is no page in the reference that nothing makes", () => {
  const found = readdirSync("docs/reference").map((name) => `docs/reference/${name}`);
  assert.equal(
    found.filter((path) => !made.has(path)),
    [],
  );
});

test("headings of a page have anchors of their own", () => {
  for (const [path, text] of made) {
    const headings = [...text.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/^#+ (.+)$/gm)].map(
      ([, heading = ""]) => heading,
    );
    const anchors = headings.map(anchor);
    if (path.endsWith(".md")) assert.is(new Set(anchors).size, anchors.length, path);
  }
});

test("every file that a gateway writes into its state folder is in the reference", async () => {
  const gateway = await openWithoutPort();
  const client = await gateway.connected(["operator.admin"]);
  client.send({
    type: "req",
    id: "1",
    method: "chat.send",
    params: { sessionKey: "main", message: "hello", idempotencyKey: "one" },
  });
  await client.answer("1");
  await gateway.gateway.close("done");
  const state = "/home/me/.openclaw/";
  const names = Object.keys(gateway.host.files.snapshot())
    .filter((path) => path.startsWith(state))
    .map((path) => path.slice(state.length));
  assert.ok(names.length > 3, names.join());
  assert.equal(
    names.filter((name) => !statePlaces.some(({ path }) => stands(path, name))),
    [],
  );
});

test("what a backup leaves out is in the reference under its own name", () => {
  for (const name of ["runtime.json", "starts.json", "gateway.lock", "logs", "search", "unfinished", "trash"]) {
    assert.type(notState(name), "string");
    assert.ok(
      statePlaces.some(({ path }) => path === name || path.startsWith(`${name}/`)),
      name,
    );
  }
});

test("every setting of the reference is one that the program reads", () => {
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !/^host.settings\.ts$/.test(name),
  );
  const program = sources.map((name) => readFileSync(`src/${name}`, "utf8")).join("\n");
  assert.equal(
    Object.keys(settings).filter((name) => !program.includes(`"${name}"`)),
    [],
  );
});

/** A page is long: the line that differs says enough. */
function firstDifference(kept: string, made: string): { line: number; kept: string; made: string } | undefined {
  if (kept === made) return undefined;
  const [before, now] = [kept.split("\n"), made.split("\n")];
  const at = now.findIndex((line, index) => line !== before[index]);
  const index = at < 0 ? now.length : at;
  return { line: index + 1, kept: before[index] ?? "", made: now[index] ?? "" };
}

/** Whether this place of the reference stands for the file. */
function stands(place: string, name: string): boolean {
  const pattern = place
    .split(/<[a-z]+>/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("[^/]+");
  return new RegExp(place.endsWith("/") ? `^${pattern}` : `^${pattern}$`).test(name);
}

test.run();
