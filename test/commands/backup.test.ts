import { test } from "uvu";
import * as assert from "uvu/assert";
import { main } from "../../src/main.ts";
import { scriptedHost, type ScriptedOptions } from "../support/host.ts";
import { createMemoryFiles, type MemoryFiles } from "../support/memory-files.ts";

const state = "/home/me/.openclaw";

test("backup create says what is in the archive and what is not, and that it has secrets in it", async () => {
  const { code, stdout } = await run(["backup", "create", "--verify"], machine());
  assert.is(code, 0);
  assert.match(
    stdout,
    /^✓ Backed up 3 files to ~\/1970-01-01T00-00-00\.000Z-openclaw-backup\.tar\.gz \(\d+ B\)|^✓ Backed up 3 files/,
  );
  assert.match(stdout, /config +~\/\.openclaw\/openclaw\.json +1 file /);
  assert.match(stdout, /workspace +~\/\.openclaw\/workspace +1 file /);
  assert.match(stdout, /~\/\.openclaw\/logs\/ +logs/);
  assert.match(stdout, "✓ Verified");
  assert.match(stdout, "It has secrets in it");
});

test("a dry run writes nothing", async () => {
  const disk = machine();
  const before = disk.snapshot();
  const { code, stdout } = await run(["backup", "create", "--dry-run", "--json"], disk);
  assert.is(code, 0);
  const { dryRun, assets } = JSON.parse(stdout);
  assert.is(dryRun, true);
  assert.equal(
    assets.map(({ kind }: { kind: string }) => kind),
    ["config", "state", "workspace"],
  );
  assert.equal(disk.snapshot(), before);
});

test("--no-include-workspace and --only-config leave out what they say", async () => {
  const kinds = async (flag: string) =>
    JSON.parse((await run(["backup", "create", "--dry-run", "--json", flag], machine())).stdout).assets.map(
      ({ kind }: { kind: string }) => kind,
    );
  assert.equal(await kinds("--no-include-workspace"), ["config", "state"]);
  assert.equal(await kinds("--only-config"), ["config"]);
});

test("an archive is not put into what it is made of, and none is overwritten", async () => {
  const inside = await run(["backup", "create", "--output", `${state}/backups/`], machine());
  assert.is(inside.code, 2);
  assert.match(inside.stderr, "lies in ~/.openclaw, which is backed up");
  const disk = machine();
  disk.put("/home/me/mine.tar.gz", "precious");
  const taken = await run(["backup", "create", "--output", "mine.tar.gz"], disk);
  assert.is(taken.code, 1);
  assert.is(disk.snapshot()["/home/me/mine.tar.gz"], "precious");
});

test("from within the state folder the archive goes to the home folder", async () => {
  const { stdout } = await run(["backup", "create", "--json"], machine(), { cwd: state });
  assert.match(JSON.parse(stdout).archivePath, /^\/home\/me\/[^/]+$/);
});

test("a configuration that cannot be read is backed up, restored, and not called whole", async () => {
  const disk = machine("{ broken");
  assert.is((await run(["backup", "create"], disk)).code, 78);
  const created = await run(["backup", "create", "--no-include-workspace", "--json"], disk);
  const { archivePath } = JSON.parse(created.stdout);
  const verified = await run(["backup", "verify", archivePath], disk);
  assert.is(verified.code, 1);
  assert.match(verified.stderr, "✗ The configuration in it cannot be read");
  disk.put(`${state}/openclaw.json`, "{}");
  assert.is((await run(["backup", "restore", archivePath, "--yes"], disk)).code, 0);
  assert.is(disk.snapshot()[`${state}/openclaw.json`], "{ broken");
});

test("a restore that nobody agreed to does nothing", async () => {
  const disk = machine();
  const { archivePath } = JSON.parse((await run(["backup", "create", "--json"], disk)).stdout);
  const before = disk.snapshot();
  const { code, stderr } = await run(["backup", "restore", archivePath], disk);
  assert.is(code, 2);
  assert.match(stderr, "Non-interactive mode requires --yes.");
  assert.equal(disk.snapshot(), before);
});

test("what an archive says of places outside of this profile is not followed", async () => {
  const disk = machine('{"agents":{"defaults":{"workspace":"/srv/work"}}}');
  disk.put("/srv/work/SOUL.md", "me");
  const { archivePath } = JSON.parse((await run(["backup", "create", "--json"], disk)).stdout);
  disk.put(`${state}/openclaw.json`, "{}");
  disk.put("/srv/work/SOUL.md", "somebody's");
  const { stdout } = await run(["backup", "restore", archivePath, "--yes"], disk);
  assert.match(stdout, "/srv/work is no workspace of this profile");
  assert.is(disk.snapshot()["/srv/work/SOUL.md"], "somebody's");
});

test("a gateway that starts after a restore was cut off finishes it first", async () => {
  const disk = createMemoryFiles();
  disk.put(`${state}.restoring-7/openclaw.json`, '{"gateway":{"mode":"remote"}}');
  disk.put(`${state}.before-restore-x/openclaw.json`, "old");
  const swap = { from: `${state}.restoring-7`, to: state, keep: `${state}.before-restore-x` };
  disk.put(`${state}.restore.json`, JSON.stringify({ archive: "/a.tar.gz", swaps: [swap] }));
  const { stderr } = await run(["gateway"], disk);
  assert.match(stderr, "set gateway.mode=local (current: remote)");
  assert.ok(disk.snapshot()[`${state}/openclaw.json`]);
  assert.not(`${state}.restore.json` in disk.snapshot());
});

function machine(config = '{"gateway":{"mode":"local"}}'): MemoryFiles {
  const disk = createMemoryFiles();
  disk.put(`${state}/openclaw.json`, config);
  disk.put(`${state}/devices/paired.json`, "{}");
  disk.put(`${state}/workspace/SOUL.md`, "me");
  disk.put(`${state}/logs/gateway.log`, "line\n");
  return disk;
}

async function run(args: readonly string[], disk: MemoryFiles, options: ScriptedOptions = {}) {
  const host = scriptedHost({ name: "openclaw", ...options, disk, args });
  const code = await main(host);
  const { stdout, stderr } = host.terminal;
  return { code, stdout: stdout.text, stderr: stderr.text };
}

test.run();
