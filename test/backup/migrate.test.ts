import { test } from "uvu";
import * as assert from "uvu/assert";
import { main } from "../../src/main.ts";
import { createLogger } from "../../src/kit/log.ts";
import { openSessions } from "../../src/session/open-sessions.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { said } from "../session/fixture.ts";
import { scriptedHost } from "../support/host.ts";
import { createMemoryFiles, type MemoryFiles } from "../support/memory-files.ts";

const from = "/home/me/.clawdbot";
const to = "/home/me/.openclaw";

/** A state folder as Clawdbot leaves it. */
const theirs: Readonly<Record<string, string>> = {
  [`${from}/clawdbot.json`]: `{
  // mine
  gateway: { mode: "local", token: "0123456789abcdef0123" },
  agents: { list: [{ id: "main", workspace: "~/.clawdbot/work" }] },
}
`,
  [`${from}/clawdbot.json.bak`]: "{}",
  [`${from}/.env`]: "KEY=1\n",
  [`${from}/devices/paired.json`]: "{}",
  [`${from}/identity/device.json`]: "{}",
  [`${from}/cron/jobs.json`]: '{"version":1,"jobs":[]}',
  [`${from}/credentials/creds.json`]: "{}",
  [`${from}/logs/gateway.log`]: "line\n",
  [`${from}/work/SOUL.md`]: "me",
  [`${from}/agents/main/agent/auth-profiles.json`]: '{"version":1,"profiles":{}}',
  [`${from}/agents/main/sessions/sessions.json`]: JSON.stringify({
    "agent:main:main": { sessionId: "11111111-aaaa", updatedAt: 5, chatType: "direct" },
  }),
  [`${from}/agents/main/sessions/11111111-aaaa.jsonl`]: [
    '{"type":"session","version":3,"id":"11111111-aaaa","timestamp":"2026-01-01T00:00:00.000Z","cwd":"/home/me/clawd"}',
    '{"type":"message","id":"82d9b943","parentId":null,"timestamp":"2026-01-01T00:00:01.000Z","message":{"role":"user","content":[{"type":"text","text":"hello"}],"timestamp":1}}',
    "",
  ].join("\n"),
};

test("without --apply it shows what would happen, and changes nothing anywhere", async () => {
  const { code, stdout, files } = await run([]);
  assert.is(code, 0);
  assert.match(stdout, "From ~/.clawdbot to ~/.openclaw:");
  assert.match(stdout, /agents +copied; sessions are taken over at first use +3 files/);
  assert.match(stdout, "gateway.token → gateway.auth.token");
  assert.match(stdout, /~\/\.clawdbot\/logs\/ +logs/);
  assert.match(stdout, "Nothing was changed. Do it: openclaw migrate --from ~/.clawdbot --apply");
  assert.equal(files.snapshot(), theirs);
});

test("everything is where it belongs afterwards, and the source is as it was", async () => {
  const { code, files } = await run(["--apply"]);
  assert.is(code, 0);
  const now = files.snapshot();
  assert.equal(Object.fromEntries(Object.entries(now).filter(([path]) => path.startsWith(`${from}/`))), theirs);
  for (const name of [".env", "devices/paired.json", "identity/device.json", "cron/jobs.json", "work/SOUL.md"])
    assert.is(now[`${to}/${name}`], theirs[`${from}/${name}`]);
  assert.is(now[`${to}/credentials/whatsapp/default/creds.json`], "{}");
  assert.not(`${to}/logs/gateway.log` in now);
  const config = now[`${to}/openclaw.json`] ?? "";
  assert.match(config, "// mine");
  assert.match(config, "0123456789abcdef0123");
  assert.match(config, `${to}/work`);
});

test("the sessions of the other program are there at the first start", async () => {
  const { files, clock } = await run(["--apply"]);
  const sessions = await openSessions({
    logs: createFolderLogs(files, to),
    store: createFolderStore(files, to),
    clock,
    log: createLogger(() => 0, []),
    stateFolder: to,
  });
  const row = sessions.get("agent:main:main");
  assert.ok(row);
  assert.equal(said(await sessions.transcript(row).after(0)), ["hello"]);
  await sessions.close();
});

test("again, it finds everything there already", async () => {
  const { files } = await run(["--apply"]);
  const before = files.snapshot();
  const { code, stdout } = await run(["--apply"], files);
  assert.is(code, 0);
  assert.match(stdout, "there already");
  assert.equal(files.snapshot(), before);
});

test("what is here already is not overwritten; with --force it is kept under another name", async () => {
  const disk = createMemoryFiles();
  disk.put(`${to}/devices/paired.json`, '{"mine":1}');
  const refused = await run(["--apply"], disk);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, `${to}/devices/paired.json`);
  assert.not(`${to}/openclaw.json` in disk.snapshot());
  assert.is((await run(["--apply", "--force"], disk)).code, 0);
  const now = disk.snapshot();
  assert.is(now[`${to}/devices/paired.json`], "{}");
  assert.ok(Object.entries(now).some(([path, text]) => path.includes(".before-migrate-") && text === '{"mine":1}'));
});

test("a migration that is killed anywhere has left no configuration or a whole one, and is just run again", async () => {
  for (let point = 1; ; point++) {
    const disk = createMemoryFiles();
    disk.crashAfter(point);
    const { code } = await run(["--apply"], disk);
    disk.recover();
    const config = disk.snapshot()[`${to}/openclaw.json`];
    if (config !== undefined) assert.match(config, /\}\n$/);
    const again = await run(["--apply"], disk, 777);
    assert.is(again.code, 0, `crash point ${point}: ${again.stderr}`);
    assert.is(disk.snapshot()[`${to}/work/SOUL.md`], "me", `crash point ${point}`);
    if (code === 0) return assert.ok(point > 20);
  }
});

test("databases of newer versions are left, and it is said what to do about them", async () => {
  const disk = createMemoryFiles();
  disk.put(`${from}/state/openclaw.sqlite`, "SQLite format 3\0");
  const { stderr, files } = await run(["--apply"], disk);
  assert.match(stderr, "state/openclaw.sqlite: newer versions of OpenClaw keep sessions");
  assert.match(stderr, "openclaw sessions --json");
  assert.not(`${to}/state/openclaw.sqlite` in files.snapshot());
});

test("where source and target are one folder, nothing needs to move", async () => {
  const disk = createMemoryFiles();
  const { code, stdout } = await run(["--from", from], disk, 1, "clawdbot");
  assert.is(code, 0);
  assert.is(
    stdout,
    `Nothing needs to move: the files in ~/.clawdbot are read as they are.
Taken over at the first start of the gateway:
  sessions of agent main
`,
  );
});

test("with two to choose from it asks which", async () => {
  const disk = createMemoryFiles();
  disk.put("/home/me/.moltbot/moltbot.json", "{}");
  const { code, stderr } = await run([], disk);
  assert.is(code, 2);
  assert.match(stderr, "--from /home/me/.moltbot");
});

async function run(args: readonly string[], disk: MemoryFiles = createMemoryFiles(), pid = 1, name = "openclaw") {
  const files = Object.hasOwn(disk.snapshot(), `${from}/clawdbot.json`) ? {} : theirs;
  const host = scriptedHost({ name, disk, pid, files, args: ["migrate", ...args] });
  const code = await main(host);
  const { stdout, stderr } = host.terminal;
  return { code, files: host.files, clock: host.clock, stdout: stdout.text, stderr: stderr.text };
}

test.run();
