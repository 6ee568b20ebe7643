import { test } from "uvu";
import * as assert from "uvu/assert";
import { scriptedHost } from "../support/host.ts";
import { main } from "../../src/main.ts";

const file = "/home/me/.clawdbot/clawdbot.json";

test("SC-015 setup writes a configuration with which the gateway starts, and says what it made", async () => {
  const { code, stdout, files } = await run(["setup"]);
  assert.is(code, 0);
  assert.is(
    stdout,
    `Wrote ~/.clawdbot/clawdbot.json
Workspace OK: ~/clawd
Sessions OK: ~/.clawdbot/agents/main/sessions
`,
  );
  const { gateway, agents } = JSON.parse(files[file] ?? "");
  assert.is(gateway.mode, "local");
  assert.is(gateway.auth.mode, "token");
  assert.match(gateway.auth.token, /^[0-9a-f]{48}$/);
  assert.is(agents.defaults.workspace, "/home/me/clawd");
});

test("a new workspace gets its files, the first-run ritual and a git repository", async () => {
  const { host, files } = await run(["setup"]);
  assert.equal(
    Object.keys(files)
      .filter((path) => path.startsWith("/home/me/clawd/"))
      .map((path) => path.slice(15))
      .sort(),
    ["AGENTS.md", "BOOTSTRAP.md", "HEARTBEAT.md", "IDENTITY.md", "SOUL.md", "TOOLS.md", "USER.md"],
  );
  assert.equal(
    host.processes.ran.map(({ command, args }) => [command, ...args].join(" ")),
    ["git init --quiet /home/me/clawd"],
  );
});

test("a workspace that was lived in keeps its files and gets no ritual", async () => {
  const { files } = await run(["setup"], { "/home/me/clawd/SOUL.md": "mine" });
  assert.is(files["/home/me/clawd/SOUL.md"], "mine");
  assert.ok(files["/home/me/clawd/AGENTS.md"]);
  assert.not("/home/me/clawd/BOOTSTRAP.md" in files);
});

test("SC-016 what is configured stays: token, mode and comments", async () => {
  const text = '{\n  // mine\n  gateway: { mode: "remote", auth: { token: "0123456789abcdef" } },\n}\n';
  const { files } = await run(["setup"], { [file]: text });
  assert.match(files[file] ?? "", "// mine");
  assert.match(files[file] ?? "", '"0123456789abcdef"');
  assert.match(files[file] ?? "", 'mode: "remote"');
});

test("setup twice changes nothing the second time", async () => {
  const first = await run(["setup"]);
  const again = await run(["setup"], first.files);
  assert.is(again.files[file], first.files[file]);
});

test("--workspace and --json", async () => {
  const { stdout, files } = await run(["setup", "--workspace", "~/other", "--json"]);
  assert.equal(JSON.parse(stdout), {
    config: file,
    workspace: "/home/me/other",
    sessions: "/home/me/.clawdbot/agents/main/sessions",
  });
  assert.ok(files["/home/me/other/AGENTS.md"]);
});

async function run(args: readonly string[], before: Readonly<Record<string, string>> = {}) {
  const host = scriptedHost({ name: "clawdbot", args, files: before });
  const code = await main(host);
  return { code, host, stdout: host.terminal.stdout.text, files: host.files.snapshot() };
}

test.run();
