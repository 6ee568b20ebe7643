import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { anchor } from "../../scripts/docs/markdown.ts";
import { parseArgs } from "../../src/cli/args.ts";
import { guides } from "../../src/cli/guides.ts";
import { parsePath } from "../../src/config/path.ts";
import { describeKeys } from "../../src/config/describe.ts";
import { commands } from "../../src/commands/index.ts";
import { methods } from "../../src/methods/index.ts";
import { run } from "../commands/run.ts";
import { shellWords } from "../support/shell-line.ts";

const written = [
  "README.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .map((name) => `docs/${name.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".md")),
];

test("SC-200 the help of gateway names the pages on bonjour, discovery and configuration, and they are there", async () => {
  const { stdout } = await run(["gateway", "--help"]);
  for (const name of Object.keys(guides)) {
    assert.match(stdout, `docs/guides/${name}.md`);
    assert.ok(existsSync(`docs/guides/${name}.md`), name);
  }
  assert.match(stdout, /Bonjour/);
});

test("SC-200 every link between pages leads to a file, and to a heading of it", () => {
  const broken = written.flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !leads(path, target))
      .map((target) => `${path}: ${target}`),
  );
  assert.equal(broken, []);
});

test("SC-200 every command line of the guides parses", async () => {
  const lines = guideLines();
  assert.ok(lines.length > 40, `${lines.length}`);
  for (const { path, line } of lines) {
    const [program, ...args] = shellWords(line);
    if (program !== "clawlet") continue;
    const { command } = await parseArgs(args, commands, "clawlet").catch((error: unknown) => {
      throw new Error(`${path}: ${line}: ${String(error)}`);
    });
    assert.ok(command, `${path}: ${line}`);
  }
});

test("SC-248 the guide to starting says what it is about and what comes before", async () => {
  const [, head = ""] = /^---\n([\s\S]*?)\n---\n/.exec(readFileSync("docs/guides/start.md", "utf8")) ?? [];
  assert.match(head, /^tags: \[gateway, daemon, startup\]$/m);
  const [, before = "[]"] = /^prerequisite: (.+)$/m.exec(head) ?? [];
  for (const line of JSON.parse(before) as readonly string[])
    assert.ok((await parseArgs(shellWords(line).slice(1), commands, "clawlet")).command, line);
});

test("what the guide to starting quotes is what the program says", () => {
  const quoted = [...readFileSync("docs/guides/start.md", "utf8").matchAll(/^\| `([^`]+)` +\| \w/gm)].map(
    ([, text]) => text ?? "",
  );
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const said = sources.map((name) => readFileSync(`src/${name}`, "utf8")).join("\n");
  assert.is(quoted.length, 5);
  for (const text of quoted) assert.ok(said.includes(text), text);
});

test("every key that the guides set or name is one that the schema knows, and every method one of ours", () => {
  const keys = describeKeys().map(({ path }) => path);
  const known = new Set([...keys, ...methods.map(({ name }) => name)]);
  const sections = keys.filter((path) => !path.includes(".")).join("|");
  const named = readdirSync("docs/guides").flatMap((name) =>
    // What is called is the embedded gateway's, or a variable of an example.
    [
      ...readFileSync(`docs/guides/${name}`, "utf8").matchAll(
        new RegExp(`\\b(?:${sections})\\.[\\w.]+\\b(?!\\()`, "g"),
      ),
    ].map(([path]) => path),
  );
  assert.ok(named.length > 10);
  assert.equal(
    named.filter((path) => parsePath(path).length > 1 && !known.has(path) && !/\.(md|json|log)$/.test(path)),
    [],
  );
});

function guideLines(): readonly { readonly path: string; readonly line: string }[] {
  return Object.keys(guides).flatMap((name) => {
    const path = `docs/guides/${name}.md`;
    const blocks = [...readFileSync(path, "utf8").matchAll(/^```sh\n([\s\S]*?)^```$/gm)];
    return blocks.flatMap(([, block = ""]) =>
      block
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => ({ path, line })),
    );
  });
}

function leads(from: string, target: string): boolean {
  const [file = "", heading] = target.split("#");
  const path = file === "" ? from : posix.join(posix.dirname(from), file);
  if (!existsSync(path)) return false;
  if (heading === undefined) return true;
  const headings = [...readFileSync(path, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, text = ""]) => anchor(text));
  return headings.includes(heading);
}

test.run();
