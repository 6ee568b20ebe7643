import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { families, layers as table } from "../scripts/layers.ts";
import { bundleWorker } from "./support/workerd.ts";

// Who may import whom (docs/architecture.md): a file imports lower layers and its own folder, never sideways or up.
const layers: Readonly<Record<string, number>> = Object.fromEntries(
  table.flatMap(({ parts }, layer) => parts.map((part) => [part, layer] as const)),
);
const packages =
  /^(hono|valibot|mri|json5|eventsource-parser|@valibot\/to-json-schema|@clack\/prompts|uqr|croner)(\/|$)/;
const adapterMayImport = /^src\/(host|kit|service|main\.ts|store\/sql\.ts)/;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

test("every file lies in a known layer", () => {
  const unknown = sources("src").filter((file) => layers[layerName(file)] === undefined);
  assert.equal(unknown, []);
});

test("src imports only lower layers and its own folder", () => {
  const wrong = imports("src").filter(({ from, to, typeOnly }) => {
    if (!to.startsWith("src/")) return false;
    const [a, b] = [layerName(from), layerName(to)];
    if (a === b) return families.has(a) && !isTable(from) && !isInterface(to) && !isOwnPart(from, to) && !typeOnly;
    if (typeOnly) return ["commands", "cli", "boot.ts", "main.ts"].includes(b) && (layers[a] ?? 0) < (layers[b] ?? 0);
    // The command line is two folders of one layer: commands are given to cli as a table.
    if ((a === "commands" && b === "cli") || (a === "cli" && b === "commands")) return false;
    return (layers[b] ?? 99) >= (layers[a] ?? 0);
  });
  assert.equal(wrong.map(show), []);
});

test("only commands/gateway.ts among the commands starts a gateway in this process", () => {
  const wrong = imports("src").filter(
    ({ from, to }) => layerName(from) === "commands" && to === "src/boot.ts" && from !== "src/commands/gateway.ts",
  );
  assert.equal(wrong.map(show), []);
});

test("src knows no runtime", () => {
  const wrong = imports("src").filter(
    ({ to }) => !to.startsWith("src/") && to !== "package.json" && !packages.test(to),
  );
  assert.equal(wrong.map(show), []);
  const globals = sources("src").filter((file) => /\b(Bun|Deno|process)\.[a-z]/i.test(code(file)));
  assert.equal(globals, []);
});

test("adapters import ports and main, never the product's insides", () => {
  const wrong = imports("adapters").filter(
    ({ to, typeOnly }) => to.startsWith("src/") && !typeOnly && !adapterMayImport.test(to),
  );
  assert.equal(wrong.map(show), []);
});

test("a gateway for workerd is made of nothing that only some runtime has", () => {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-worker-"));
  const parts = bundleWorker(folder);
  rmSync(folder, { recursive: true, force: true });
  assert.ok(parts.includes("src/embed.ts"));
  assert.equal(
    parts.filter((part) => isBuiltin(part) || /^adapters\/(?!workerd\/)/.test(part)),
    [],
  );
});

test("the page is a client: it is made of what every browser has, and nothing is made of it", () => {
  const wrong = imports("src").filter(({ from, to, typeOnly }) => {
    if (layerName(from) !== "page") return layerName(to) === "page" && to.startsWith("src/");
    return !typeOnly && !/^src\/(page|client|kit)\/|^src\/host\/web-/.test(to);
  });
  assert.equal(wrong.map(show), []);
});

test("nothing in src imports adapters or tests", () => {
  const wrong = imports("src").filter(({ to }) => /^(adapters|test|scripts)\//.test(to));
  assert.equal(wrong.map(show), []);
});

function sources(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => `${folder}/${file.replaceAll("\\", "/")}`)
    .filter((file) => /\.tsx?$/.test(file));
}

function imports(folder: string): readonly Import[] {
  return sources(folder).flatMap((from) =>
    [
      ...code(from).matchAll(
        /(?:import|export)\s+(type\s)?[^;'"()]*?from\s+["']([^"']+)["']|import\(["']([^"']+)["']\)|^import\s+["']([^"']+)["']/gm,
      ),
    ].map(([, type, named, dynamic, bare]) => {
      const target = named ?? dynamic ?? bare ?? "";
      return {
        from,
        to: target.startsWith(".") ? posix.join(posix.dirname(from), target) : target,
        typeOnly: type !== undefined,
      };
    }),
  );
}

function code(file: string): string {
  return readFileSync(file, "utf8").replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
}

function layerName(file: string): string {
  return file.split("/")[1] ?? "";
}

function isTable(file: string): boolean {
  return file.endsWith("/index.ts");
}

/** `google-request.ts` is a part of `google.ts`, and of no other file. */
function isOwnPart(from: string, to: string): boolean {
  return from === to || to.startsWith(`${from.replace(/\.tsx?$/, "")}-`);
}

/** The interface file of a family is named in the singular: methods/method.ts; all of the family share its parts. */
function isInterface(file: string): boolean {
  const [, folder = "", name = ""] = file.split("/");
  return folder.startsWith(name.replace(/(-[a-z]+)?\.ts$/, ""));
}

function show({ from, to }: Import): string {
  return `${from} -> ${to}`;
}

test.run();
