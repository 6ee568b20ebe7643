import { test } from "uvu";
import * as assert from "uvu/assert";
import { createBackup, archivePathFor } from "../../src/backup/create.ts";
import { planBackup } from "../../src/backup/plan.ts";
import { readBackup } from "../../src/backup/read-backup.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { flavours } from "../../src/host/flavour.ts";
import { pathsOf } from "../../src/host/paths.ts";
import { openSessions } from "../../src/session/open-sessions.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { main, said, user } from "../session/fixture.ts";
import { createMemoryFiles, type MemoryFiles } from "../support/memory-files.ts";
import { scriptedHost } from "../support/host.ts";

const state = "/home/me/.openclaw";
const everything = { includeWorkspace: true, onlyConfig: false };

test("what is restored is what was there", async () => {
  const place = machine();
  const archive = await backUp(place);
  const before = stateOf(place.host.files);
  place.host.files.put(`${state}/openclaw.json`, "{}");
  place.host.files.put(`${state}/new.json`, "{}");
  await restore(place, archive);
  const after = stateOf(place.host.files);
  for (const path of Object.keys(before).filter((path) => !/lock|runtime|logs\/|search\/|\.tmp$/.test(path)))
    assert.is(after[path], before[path], path);
  assert.is(after[`${state}/new.json`], undefined);
});

test("locks, logs, runtime files, the search index and half-written files stay out, each with its reason", async () => {
  const place = machine();
  const plan = await planBackup(place, everything);
  assert.equal(
    plan.skipped.map(({ path }) => path.slice(state.length + 1)),
    [
      ".openclaw.json.1.abc.tmp",
      "gateway.lock",
      "logs/",
      "runtime.json",
      "search/",
      "openclaw.json",
      "workspace/",
    ].sort(),
  );
});

test("what was acknowledged before a backup is in it, and what is in it opens without a repair, while a gateway writes", async () => {
  const place = machine();
  const { files, clock } = place.host;
  const open = async (warnings: LogRecord[], folder = state) =>
    openSessions({
      logs: createFolderLogs(files, folder),
      store: createFolderStore(files, folder),
      clock,
      log: createLogger(
        () => clock.now(),
        [(record) => record.level !== "info" && record.level !== "debug" && warnings.push(record)],
      ),
      stateFolder: folder,
      cwdOf: () => "/w",
    });
  const sessions = await open([]);
  const row = await sessions.ensure(main, { agentId: "main" });
  const transcript = sessions.transcript(row);
  for (let step = 0; step < 50; step++) await transcript.append([user(`before ${step}`)]);
  let step = 0;
  let writing = false;
  files.before = async (operation) => {
    if (operation !== "readRange" || writing) return;
    writing = true;
    await transcript.append([user(`during ${step}`)]);
    const other = await sessions.ensure(`agent:main:during-${step++}`, { agentId: "main" });
    await sessions.transcript(other).append([user("born meanwhile")]);
    writing = false;
  };
  const archive = await backUp(place);
  files.before = undefined;
  await sessions.close();
  assert.ok(step > 3, `${step} writes while the backup was made`);
  await restore(place, archive);
  const warnings: LogRecord[] = [];
  const restored = await open(warnings);
  const texts = said(await restored.transcript(restored.get(main) ?? row).after(0));
  assert.equal(
    texts.slice(0, 50),
    Array.from({ length: 50 }, (_, index) => `before ${index}`),
  );
  assert.equal(
    texts.slice(50),
    texts.slice(50).map((_, index) => `during ${index}`),
  );
  assert.equal(warnings, []);
  await restored.close();
});

test("half a line at the end of a log is not taken, as nobody was told that it is there", async () => {
  const place = machine();
  place.host.files.put(`${state}/usage/2026.jsonl`, '{"a":1}\n{"b":');
  const archive = await backUp(place);
  await restore(place, archive);
  assert.is(place.host.files.snapshot()[`${state}/usage/2026.jsonl`], '{"a":1}\n');
});

test("a document that is replaced while it is copied is in the archive as it was", async () => {
  const place = machine();
  const { files } = place.host;
  const before = "a".repeat(700_000);
  files.put(`${state}/big.json`, before);
  let reads = 0;
  files.before = async (operation, path) => {
    if (operation !== "readRange" || path !== `${state}/big.json` || ++reads !== 2) return;
    await files.write(path, "b".repeat(900_000));
  };
  const archive = await backUp(place);
  files.before = undefined;
  await restore(place, archive);
  assert.is(files.snapshot()[`${state}/big.json`], before);
});

test("the archive and everything restored from it is for the owner alone", async () => {
  const place = machine();
  place.host.files.put(`${state}/credentials/loose.json`, "{}", 0o644);
  place.host.files.put(`${state}/workspace/run.sh`, "#!/bin/sh", 0o755);
  const archive = await backUp(place);
  assert.is((await place.host.files.stat(archive))?.mode, 0o600);
  await restore(place, archive);
  const modeOf = async (path: string) => (await place.host.files.stat(`${state}/${path}`))?.mode;
  assert.is(await modeOf("credentials/loose.json"), 0o600);
  assert.is(await modeOf("credentials"), 0o700);
  assert.is(await modeOf("workspace/run.sh"), 0o700);
});

test("a crash at any point of a backup leaves no archive or a whole one, and the next backup sweeps up", async () => {
  for (let point = 1; ; point++) {
    const place = machine();
    const { files } = place.host;
    files.crashAfter(point);
    const done = await backUp(place).then(
      () => true,
      () => false,
    );
    files.recover();
    for (const name of (await files.list("/home/me")).filter((each) => each.endsWith(".tar.gz")))
      await readBackup(files, `/home/me/${name}`);
    if (done) return assert.ok(point > 5);
    const later = machine(files, 777);
    await later.host.clock.advance(1000);
    await backUp(later);
    assert.equal(
      (await files.list("/home/me")).filter((name) => name.endsWith(".backup.tmp")),
      [],
      `crash point ${point}`,
    );
  }
});

test("a crash at any point of a restore leaves the old state or the new one, and the next start finishes it", async () => {
  const { resumeRestore } = await import("../../src/backup/restore.ts");
  for (let point = 1; ; point++) {
    const place = machine();
    const { files } = place.host;
    const archive = await backUp(place);
    const archived = stateOf(files)[`${state}/devices/paired.json`];
    files.put(`${state}/devices/paired.json`, "changed since");
    files.crashAfter(point);
    const done = await restore(place, archive).then(
      () => true,
      () => false,
    );
    files.recover();
    const later = machine(files, 777, []);
    const resumed = await resumeRestore(later);
    const now = stateOf(files);
    const isNew = now[`${state}/devices/paired.json`] === archived;
    if (!isNew) assert.is(now[`${state}/devices/paired.json`], "changed since", `crash point ${point}`);
    assert.ok(now[`${state}/agents/main/agent/auth-profiles.json`], `crash point ${point}`);
    assert.ok(now[`${state}/openclaw.json`], `crash point ${point}`);
    if (resumed) assert.ok(isNew, `crash point ${point}`);
    const everywhere = Object.values(files.snapshot());
    assert.ok(everywhere.includes("changed since"), `nothing is lost at crash point ${point}`);
    // And once more from the beginning, as the person does who saw it fail.
    await restore(later, archive);
    assert.is(stateOf(files)[`${state}/devices/paired.json`], archived);
    assert.equal(
      (await files.list("/home/me")).filter((name) => /\.restor/.test(name)),
      [],
    );
    if (done) return assert.ok(point > 20);
  }
});

test("the service of this machine goes on after a restore: its script and secrets are not those of the archive", async () => {
  const place = machine();
  const { files } = place.host;
  const own = {
    "service.env": "OPENCLAW_GATEWAY_TOKEN=now\n",
    "gateway.cmd": "@echo off\r\n",
    "gateway-task.xml": "<Task/>",
  };
  for (const [name, text] of Object.entries(own)) files.put(`${state}/${name}`, text.replace("now", "then"));
  const plan = await planBackup(place, everything);
  assert.equal(
    plan.files.filter(({ from }) => Object.keys(own).some((name) => from.endsWith(`/${name}`))),
    [],
  );
  const archive = await backUp(place);
  for (const [name, text] of Object.entries(own)) files.put(`${state}/${name}`, text);
  await restore(place, archive);
  for (const [name, text] of Object.entries(own)) assert.is(stateOf(files)[`${state}/${name}`], text, name);
  assert.is((await files.stat(`${state}/service.env`))?.mode, 0o600);
});

test("a gateway that runs is not restored under", async () => {
  const place = machine();
  const archive = await backUp(place);
  place.host.processes.living.add(99);
  place.host.processes.startTimes.set(99, "then");
  place.host.files.put(
    `${state}/gateway.lock`,
    `{"id":"11111111-1111-4111-8111-111111111111","pid":99,"startTime":"then","port":18789,"command":"x","createdAt":"2026-01-01T00:00:00.000Z"}\n`,
  );
  try {
    await restore(place, archive);
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /a gateway \(PID 99, port 18789\) uses this state folder/);
  }
});

function machine(disk?: MemoryFiles, pid?: number, add: readonly string[] = Object.keys(contents)) {
  const host = scriptedHost({
    disk: disk ?? createMemoryFiles(),
    pid: pid ?? 4242,
    files: disk ? {} : Object.fromEntries(add.map((name) => [`${state}/${name}`, contents[name] ?? ""])),
  });
  return { host, flavour: flavours.openclaw, paths: pathsOf(host, flavours.openclaw, "") };
}

const contents: Readonly<Record<string, string>> = {
  "openclaw.json": '{ "gateway": { "mode": "local" } }',
  "agents/main/agent/auth-profiles.json": '{"version":1}',
  "devices/paired.json": "{}",
  "workspace/AGENTS.md": "# rules",
  "media/inbound/picture.base64": "AAAA",
  ".env": "KEY=1",
  "runtime.json": "{}",
  "gateway.lock": "",
  "logs/gateway.log": "line\n",
  "search/segments.jsonl": "{}\n",
  ".openclaw.json.1.abc.tmp": "half",
};

async function backUp(place: ReturnType<typeof machine>): Promise<string> {
  const plan = await planBackup(place, everything);
  const path = await archivePathFor(place, plan, { program: "clawlet", output: undefined });
  return (await createBackup(place, plan, { ...everything, path })).archive;
}

async function restore(place: ReturnType<typeof machine>, archive: string) {
  const { manifest } = await readBackup(place.host.files, archive);
  return restoreBackup(place, archive, { manifest });
}

function stateOf(files: MemoryFiles): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files.snapshot()).filter(([path]) => path.startsWith(`${state}/`)));
}

test.run();
