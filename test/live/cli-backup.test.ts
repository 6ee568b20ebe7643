import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { run } from "./cli-process.ts";

const root = mkdtempSync(join(tmpdir(), "clawlet-backup-"));
const hasTar = spawnSync("tar", ["--version"]).status === 0;
const withTar = (name: string, work: () => Promise<void>): void => (hasTar ? test(name, work) : test.skip(name, work));
if (!hasTar) process.stdout.write("skipped: needs tar\n");

withTar(
  "a backup is a tar.gz that the system's own tar lists and unpacks, and links in the state are not followed",
  async () => {
    const { home, archive } = await backedUp("listed");
    const names = execFileSync("tar", ["-tzf", archive], { encoding: "utf8" }).trim().split("\n");
    const base = names.at(-1)?.replace("/manifest.json", "") ?? "";
    assert.ok(names.includes(`${base}/payload/state/devices/paired.json`));
    assert.not.ok(names.some((name) => name.includes("secret-link")));
    const out = join(home, "out");
    mkdirSync(out);
    execFileSync("tar", ["-xzf", archive, "-C", out]);
    assert.is(readFileSync(join(out, base, "payload/state", longName), "utf8"), "long\n");
    assert.is(readFileSync(join(out, base, "payload/config/openclaw.json"), "utf8"), config);
    assert.is(statSync(archive).mode & 0o777, 0o600);
  },
);

withTar("what the system's tar packed again is verified too, long names and folders included", async () => {
  const { home, archive } = await backedUp("packed");
  const out = join(home, "out");
  mkdirSync(out);
  execFileSync("tar", ["-xzf", archive, "-C", out]);
  const [base = ""] = readdirSync(out);
  execFileSync("tar", ["-czf", join(home, "again.tar.gz"), "-C", out, `./${base}`]);
  const verified = await run(["backup", "verify", join(home, "again.tar.gz"), "--json"], home);
  assert.is(verified.status, 0, verified.stdout);
  assert.is(JSON.parse(verified.stdout).ok, true);
  symlinkSync("/etc/passwd", join(out, base, "payload/state/link"));
  execFileSync("tar", ["-czf", join(home, "linked.tar.gz"), "-C", out, base]);
  const linked = await run(["backup", "verify", join(home, "linked.tar.gz")], home);
  assert.is(linked.status, 1);
  assert.match(linked.stderr, "is a link in the archive: it is refused");
});

test("backup, loss and restore: the state is back, for its owner alone, and what was there is kept", async () => {
  const { home, archive } = await backedUp("restored");
  const state = join(home, ".openclaw");
  writeFileSync(join(state, "devices/paired.json"), "lost");
  const dry = await run(["backup", "restore", archive, "--dry-run"], home);
  assert.is(dry.status, 0, dry.stderr);
  assert.match(dry.stdout, "[dry-run] restore ~/.openclaw");
  assert.is(readFileSync(join(state, "devices/paired.json"), "utf8"), "lost");
  const restored = await run(["backup", "restore", archive, "--yes", "--json"], home);
  assert.is(restored.status, 0, restored.stderr);
  assert.is(readFileSync(join(state, "devices/paired.json"), "utf8"), "{}");
  assert.is(readFileSync(join(state, "openclaw.json"), "utf8"), config);
  assert.is(statSync(state).mode & 0o777, 0o700);
  assert.is(statSync(join(state, "devices/paired.json")).mode & 0o777, 0o600);
  assert.is(statSync(join(state, "workspace/run.sh")).mode & 0o777, 0o700);
  const [{ keptIn }] = JSON.parse(restored.stdout).restored;
  assert.is(readFileSync(join(keptIn, "devices/paired.json"), "utf8"), "lost");
  assert.equal(
    readdirSync(home).filter((name) => /restor|lock/.test(name) && !name.includes("before-restore")),
    [],
  );
});

test("reset moves the state to the trash, and does not follow a link out of it", async () => {
  const { home } = await backedUp("reset");
  const done = await run(["reset", "--scope", "full", "--yes", "--non-interactive"], home);
  assert.is(done.status, 0, done.stderr);
  assert.not.ok(existsSync(join(home, ".openclaw")));
  assert.is(readFileSync(join(home, "elsewhere/secret"), "utf8"), "not ours");
});

test("threat M: a state folder that is a link is not reset", async () => {
  const { home } = await backedUp("linked");
  const real = join(home, "elsewhere");
  const linked = join(home, "linked");
  symlinkSync(real, linked);
  const done = await run(["reset", "--scope", "full", "--yes"], home, { env: { OPENCLAW_STATE_DIR: linked } });
  assert.is(done.status, 1);
  assert.match(done.stderr, "it is a link to somewhere else");
});

const config = '{ gateway: { mode: "local" } }\n';
const longName = `agents/main/sessions/${"l".repeat(120)}-ümläut.jsonl`;

async function backedUp(name: string): Promise<{ home: string; archive: string }> {
  const home = join(root, name);
  const state = join(home, ".openclaw");
  const put = (path: string, text: string): void => {
    mkdirSync(join(state, path, ".."), { recursive: true });
    writeFileSync(join(state, path), text);
  };
  put("openclaw.json", config);
  put("devices/paired.json", "{}");
  put("workspace/AGENTS.md", "# rules");
  put("workspace/run.sh", "#!/bin/sh\n");
  put(longName, "long\n");
  chmodSync(join(state, "workspace/run.sh"), 0o755);
  mkdirSync(join(home, "elsewhere"));
  writeFileSync(join(home, "elsewhere/secret"), "not ours");
  symlinkSync(join(home, "elsewhere/secret"), join(state, "secret-link"));
  symlinkSync(join(home, "elsewhere"), join(state, "secret-link-folder"));
  const created = await run(["backup", "create", "--output", join(home, "archives/"), "--verify", "--json"], home);
  assert.is(created.status, 0, created.stderr + created.stdout);
  return { home, archive: JSON.parse(created.stdout).archivePath };
}

test.after(() => rmSync(root, { recursive: true, force: true }));
test.run();
