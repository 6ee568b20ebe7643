import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { files as realFiles } from "../../adapters/machine/files.ts";
import { buildPrompt, type PromptInput } from "../../src/agent/prompt.ts";
import { agentsOf } from "../../src/agent/roster.ts";
import { templates } from "../../src/agent/templates.ts";
import { createWorkspaceFiles } from "../../src/agent/workspace-files.ts";
import { configSchema } from "../../src/config/schema.ts";
import { tools } from "../../src/tools/index.ts";
import { scriptedHost } from "../support/host.ts";

const workspace = "/home/me/clawd";
const noon = Date.UTC(2026, 10, 21, 12);

function inputWith(files: Readonly<Record<string, string>> = {}, configured: unknown = {}) {
  const host = scriptedHost();
  host.files.putFolder(workspace);
  for (const [name, text] of Object.entries(files)) host.files.put(`${workspace}/${name}`, text);
  const config = v.parse(configSchema, configured);
  const input: PromptInput = {
    host,
    workspaceFiles: createWorkspaceFiles(host.files),
    config,
    agent: agentsOf(config)[0],
    workspace,
    sessionKey: "agent:main:main",
    model: {
      provider: "mock",
      id: "m1",
      name: "M1",
      api: "echo",
      reasoning: true,
      images: false,
      contextWindow: 100_000,
      maxTokens: 8000,
      cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      compat: {},
    },
    thinking: "low",
    tools,
    mode: "full",
    now: noon,
    timeZone: "Europe/Vienna",
    aliases: new Map([["opus", "anthropic/claude-opus-4-5"]]),
  };
  return { host, input };
}

function headings(text: string): readonly string[] {
  return [...text.matchAll(/^#+ .*$/gm)].map(([heading]) => heading);
}

test("sections and files stand in their order", async () => {
  const files = Object.fromEntries(Object.keys(templates).map((name) => [name, `text of ${name}`]));
  const configured = { channels: { telegram: {}, slack: { enabled: false }, defaults: {} } };
  const { text } = await buildPrompt(inputWith(files, configured).input);
  assert.equal(headings(text), [
    "## Tools",
    "## Safety",
    "## Model aliases",
    "## Workspace",
    "## Date",
    "## Reply tags",
    "## Messaging",
    "## Heartbeats",
    "## Silence",
    "## Runtime",
    "## Reasoning",
    "# Project Context",
    "## AGENTS.md",
    "## SOUL.md",
    "## TOOLS.md",
    "## IDENTITY.md",
    "## USER.md",
    "## HEARTBEAT.md",
    "## BOOTSTRAP.md",
  ]);
  for (const { name, summary } of tools) assert.match(text, `- ${name}: ${summary}`);
  assert.match(text, "Chat networks set up here: telegram.");
  assert.match(text, "NO_REPLY");
  assert.match(text, "HEARTBEAT_OK");
});

test("the identity is the agent's", async () => {
  const list = [{ id: "main", identity: { name: "Clawd", emoji: "🦞", theme: "a helpful lobster" } }];
  const { text } = await buildPrompt(inputWith({}, { agents: { list } }).input);
  assert.match(text, /^You are a personal assistant called Clawd 🦞: a helpful lobster\.\n/);
});

test("a minimal prompt leaves out what a helper does not need, none is a single line", async () => {
  const { input } = inputWith({ "AGENTS.md": "a", "SOUL.md": "s", "TOOLS.md": "t" }, { channels: { telegram: {} } });
  const minimal = await buildPrompt({ ...input, mode: "minimal" });
  assert.equal(headings(minimal.text), [
    "## Tools",
    "## Safety",
    "## Workspace",
    "## Date",
    "## Runtime",
    "## Reasoning",
    "# Project Context",
    "## AGENTS.md",
    "## TOOLS.md",
  ]);
  const none = await buildPrompt({ ...input, mode: "none" });
  assert.is(none.text, "You are a personal assistant.");
  assert.equal(none.report.injectedWorkspaceFiles, []);
});

test("the prompt stays the same all day, so that providers can cache it", async () => {
  const { input } = inputWith();
  const at = async (now: number, timeZone = "Europe/Vienna") => (await buildPrompt({ ...input, now, timeZone })).text;
  assert.is(await at(noon), await at(noon + 59 * 60_000));
  assert.match(await at(noon), "Saturday, 2026-11-21 (Europe/Vienna)");
  assert.match(await at(noon, "Pacific/Kiritimati"), "Sunday, 2026-11-22 (Pacific/Kiritimati)");
  assert.match(await at(noon, "Mars/Olympus"), "Saturday, 2026-11-21 (UTC)");
});

test("a long file is cut to its beginning and end, and never through a character", async () => {
  const long = `BEGIN${"🦞".repeat(5000)}END`;
  const { input } = inputWith({ "AGENTS.md": long }, { agents: { defaults: { bootstrapMaxChars: 100 } } });
  const { text, report } = await buildPrompt(input);
  const [file] = report.injectedWorkspaceFiles;
  assert.is(file?.rawChars, long.length);
  assert.is(file?.truncated, true);
  assert.ok((file?.injectedChars ?? 0) < 200);
  assert.match(text, /BEGIN(🦞)+\n\n\[… \d+ characters left out: read AGENTS\.md for all of it …\]\n\n(🦞)+END/u);
  assert.not.match(text, /\p{Surrogate}/u);
});

test("a missing file is said to be missing, except those that may be", async () => {
  const { text, report } = await buildPrompt(inputWith({ "AGENTS.md": "  " }).input);
  assert.match(text, "## AGENTS.md\n\n(empty)");
  assert.match(text, "## SOUL.md\n\n(missing)");
  assert.not.match(text, "## BOOTSTRAP.md");
  assert.not.match(text, "## HEARTBEAT.md");
  const soul = report.injectedWorkspaceFiles.find(({ name }) => name === "SOUL.md");
  assert.equal(soul, {
    name: "SOUL.md",
    path: `${workspace}/SOUL.md`,
    missing: true,
    rawChars: 0,
    injectedChars: 0,
    truncated: false,
  });
});

test("the report counts the characters", async () => {
  const { text, report } = await buildPrompt({ ...inputWith({ "AGENTS.md": "rules" }).input, extra: " be brief \n" });
  assert.ok(text.endsWith("\n\nbe brief"));
  assert.is(report.systemPrompt.chars, text.length);
  const { projectContextChars, nonProjectContextChars } = report.systemPrompt;
  assert.is(projectContextChars + nonProjectContextChars, text.length);
  assert.is(text.indexOf("# Project Context") + projectContextChars, text.length - "\n\nbe brief".length);
  assert.is(report.workspaceDir, workspace);
  assert.is(report.bootstrapMaxChars, 20_000);
  assert.equal(
    report.tools.map(({ name }) => name),
    tools.map(({ name }) => name),
  );
  assert.ok(report.tools.every(({ schemaChars }) => schemaChars > 10));
});

test("our own words are few", async () => {
  const { report } = await buildPrompt(inputWith().input);
  assert.ok(report.systemPrompt.nonProjectContextChars < 2500, String(report.systemPrompt.nonProjectContextChars));
});

test("a workspace that did not change is not read again, one that did is", async () => {
  const { host, input } = inputWith({ "AGENTS.md": "first", "SOUL.md": "soul" });
  await buildPrompt(input);
  const reads: string[] = [];
  host.files.before = (operation, path) => void (operation.startsWith("read") && reads.push(path));
  await buildPrompt(input);
  assert.equal(reads, []);
  await host.files.write(`${workspace}/AGENTS.md`, "later");
  assert.match((await buildPrompt(input)).text, "## AGENTS.md\n\nlater");
  assert.equal(reads, [`${workspace}/AGENTS.md`]);
});

test("a file that could fill the memory is not read", async () => {
  const { input } = inputWith({ "AGENTS.md": "x".repeat(1024 * 1024 + 1) });
  const { text } = await buildPrompt(input);
  assert.match(text, "## AGENTS.md\n\n(not read: it has 1048577 bytes, more than 1 MB)");
});

test("what is kept of many workspaces has an end", async () => {
  const { host } = inputWith();
  const cache = createWorkspaceFiles(host.files);
  for (let agent = 0; agent < 20; agent++) {
    host.files.put(`/ws-${agent}/AGENTS.md`, "x".repeat(500_000));
    await cache.load(`/ws-${agent}`, ["AGENTS.md"]);
  }
  const reads: string[] = [];
  host.files.before = (operation, path) => void (operation === "readRange" && reads.push(path));
  await cache.load("/ws-19", ["AGENTS.md"]);
  assert.equal(reads, []);
  await cache.load("/ws-0", ["AGENTS.md"]);
  assert.equal(reads, ["/ws-0/AGENTS.md"]);
});

test("threat P a workspace file that is a link out of the workspace is not shown", async () => {
  const at = realpathSync(mkdtempSync(join(tmpdir(), "prompt-")));
  try {
    mkdirSync(join(at, "ws"));
    writeFileSync(join(at, "secret"), "canary-secret");
    symlinkSync(join(at, "secret"), join(at, "ws", "AGENTS.md"));
    const { input } = inputWith();
    const workspaceFiles = createWorkspaceFiles(realFiles);
    const { text } = await buildPrompt({ ...input, workspaceFiles, workspace: join(at, "ws") });
    assert.not.match(text, "canary");
    assert.match(text, "## AGENTS.md\n\n(not read: ");
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
});

test.run();
