import { test } from "uvu";
import * as assert from "uvu/assert";
import { openConfig, type Refuse } from "../../src/config/file.ts";
import type { ConfigStore, ConfigWrite } from "../../src/config/config.ts";
import { flavours } from "../../src/host/flavour.ts";
import { pathsOf } from "../../src/host/paths.ts";
import { Failure } from "../../src/kit/error.ts";
import { createLogger } from "../../src/kit/log.ts";
import { REDACTED } from "../../src/kit/redact.ts";
import { scriptedHost, type ScriptedHost, type ScriptedOptions } from "../support/host.ts";
import { Crash } from "../support/memory-files.ts";

const state = "/home/me/.openclaw";
const file = `${state}/openclaw.json`;
const sound = `{
  // where it listens
  gateway: { mode: "local", port: 19000, auth: { token: "secret-one" } }, // mine
}
`;

test("without a file there are the defaults, and nothing is written", async () => {
  const { store, host } = await opened();
  const { exists, raw, valid, value } = store.current();
  assert.equal([exists, raw, valid, value.gateway.port], [false, null, true, 18_789]);
  assert.is(await host.files.stat(file), undefined);
});

test("JSON5, includes and variables become one typed value", async () => {
  const { store } = await opened({
    env: { TOKEN: "from-process" },
    files: {
      [file]: `{ $include: "./base.json5", gateway: { auth: { token: "\${TOKEN}" }, controlUi: { root: "\${ROOT}" } }, env: { ROOT: "/ui" } }`,
      [`${state}/base.json5`]: "{ gateway: { port: 19001 }, agents: { list: [{ id: 'a', name: '${NAME}' }] } } // base",
      [`${state}/.env`]: "NAME=Ann\nTOKEN=from-file\n",
      "/home/me/.env": "ROOT=/evil\n",
    },
  });
  const { value, issues, unknownKeys } = store.current();
  assert.equal([issues, unknownKeys], [[], []]);
  assert.is(value.gateway.port, 19_001);
  assert.is(value.gateway.auth.token, "from-process");
  assert.is(value.gateway.controlUi.root, "/ui");
  assert.is(value.agents.list?.[0]?.name, "Ann");
  assert.equal(store.includedFiles?.(), [`${state}/base.json5`]);
  assert.is(store.environment?.()["ROOT"], "/ui");
});

test("threat P: a .env in the working folder is not read", async () => {
  const { store } = await opened({
    cwd: "/work",
    files: { [file]: '{ gateway: { auth: { token: "${TOKEN}" } } }', "/work/.env": "TOKEN=planted" },
  });
  assert.is(store.current().unsafe[0]?.path, "gateway.auth.token");
});

test("a missing variable costs the value that names it, and is unsafe where it guards the way in", async () => {
  const { store } = await opened({
    files: {
      [file]: '{ gateway: { bind: "lan", auth: { token: "${NOPE}" } }, channels: { x: { key: "${NOPE}", on: true } } }',
    },
  });
  const { value, unsafe, disabled } = store.current();
  assert.equal(
    unsafe.map(({ path }) => path),
    ["gateway.auth.token"],
  );
  assert.equal([value.gateway.bind, value.gateway.auth.mode], ["loopback", "token"]);
  assert.equal(value.channels["x"], { on: true });
  assert.equal(
    disabled.map(({ section }) => section),
    ["channels.x"],
  );
});

test("a set keeps comments and layout, is private, and answers what changed", async () => {
  const { store, host } = await opened({ files: { [file]: sound } });
  const seen: ConfigWrite[] = [];
  store.onChange((write) => seen.push(write));
  const write = await store.set("gateway.port", 19_002, { by: "config set" });
  assert.equal(write.changedPaths, ["gateway.port"]);
  assert.is(await host.files.read(file), sound.replace("19000", "19002"));
  assert.is((await host.files.stat(file))?.mode, 0o600);
  assert.is(await host.files.read(`${file}.bak`), sound);
  assert.is(store.current().value.gateway.port, 19_002);
  assert.equal(
    seen.map(({ changedPaths }) => changedPaths),
    [["gateway.port"]],
  );
});

test("a first set makes the file", async () => {
  const { store, host } = await opened();
  await store.set("agents.list[0].id", "main", { by: "config set" });
  assert.equal(JSON.parse((await host.files.read(file)) ?? ""), { agents: { list: [{ id: "main" }] } });
});

test("SC-016 gateway.mode=local can be set where there was no file", async () => {
  const { store, host } = await opened();
  await store.set("gateway.mode", "local", { by: "config set" });
  assert.is(await host.files.read(file), '{\n  "gateway": {\n    "mode": "local"\n  }\n}\n');
  assert.is((await host.files.stat(file))?.mode, 0o600);
});

test("a removed path is gone; one that is not there is named", async () => {
  const { store } = await opened({ files: { [file]: sound } });
  await store.set("gateway.port", undefined, { by: "config unset" });
  assert.is(store.current().value.gateway.port, 18_789);
  await rejects(store.set("x.y", undefined, { by: "config unset" }), "not-found", "Config path not found: x.y");
});

test("a write that would add a mistake is refused whole, one beside an old mistake is not", async () => {
  const { store, host } = await opened({ files: { [file]: '{ discovery: 5, gateway: { mode: "local" } }' } });
  const failure = await rejects(
    store.set("gateway.bind", "wan", { by: "x" }),
    "invalid-request",
    /^invalid config: gateway\.bind: is "wan"; set it to one of/,
  );
  assert.equal(
    (failure.details as { issues: { path: string }[] }).issues.map(({ path }) => path),
    ["gateway.bind"],
  );
  await store.set("gateway.bind", "lan", { by: "x" });
  assert.is(await host.files.read(file), '{ discovery: 5, gateway: { mode: "local", bind: "lan" } }');
});

test("keys that reach into JavaScript are refused in files, paths and values", async () => {
  const { store } = await opened({ files: { [file]: '{ "__proto__": { "a": 1 }, gateway: {} }' } });
  assert.match(store.current().unsafe[0]?.message ?? "", "__proto__ is a key that is not allowed");
  const { store: other } = await opened();
  await rejects(other.set("a.__proto__.b", 1, { by: "x" }), "invalid-request", /not allowed/);
  await rejects(other.patch(JSON.parse('{"a":{"constructor":1}}'), { by: "x" }), "invalid-request", /not allowed/);
  assert.is(({} as Record<string, unknown>)["b"], undefined);
});

test("the base hash guards against lost updates", async () => {
  const { store } = await opened({ files: { [file]: sound } });
  const { hash } = store.current();
  await rejects(
    store.replace("{}", { by: "x" }),
    "invalid-request",
    "config base hash required; re-run config.get and retry",
  );
  await store.patch({ ui: { a: 1 } }, { baseHash: hash, by: "x" });
  const changed = "config changed since last load; re-run config.get and retry";
  await rejects(store.patch({ ui: { a: 2 } }, { baseHash: hash, by: "x" }), "conflict", changed);
  assert.is((store.current().value.ui as { a: number }).a, 1);
});

test("of two processes that write at once one is told to try again, and nothing is lost", async () => {
  const { store, host } = await opened({ files: { [file]: sound } });
  // Another process writes while this one keeps the replaced version.
  host.files.before = (operation, path) => {
    if (operation === "write" && path.endsWith(".bak")) host.files.put(file, "{ theirs: true }");
  };
  await rejects(store.set("gateway.port", 1, { by: "x" }), "conflict", /changed since last load/);
  assert.is(await host.files.read(file), "{ theirs: true }");
});

test("writes in one process wait for each other", async () => {
  const { store } = await opened();
  await Promise.all(Array.from({ length: 10 }, (_, index) => store.set(`ui.k${index}`, index, { by: "x" })));
  assert.is(Object.keys(store.current().value.ui as object).length, 10);
});

test("a kill between any two steps of a write leaves the old file or the new one, whole", async () => {
  const after = sound.replace("19000", "19002");
  let killed = true;
  for (let step = 1; killed; step++) {
    const { store, host } = await opened({ files: { [file]: sound } });
    host.files.crashAfter(step);
    killed = await store.set("gateway.port", 19_002, { by: "x" }).then(
      () => false,
      (error: unknown) => error instanceof Crash,
    );
    host.files.recover();
    const text = await host.files.read(file);
    assert.ok(text === after || (killed && text === sound), `${step}: ${text}`);
    const again = await opened({ disk: host.files, pid: 5000 + step });
    assert.ok(again.store.current().valid);
    await again.store.set("ui.x", step, { by: "y" });
    assert.is((await again.store.history()).filter(({ by }) => by === "x").length, killed && text === sound ? 0 : 1);
  }
});

test("redacted values sent back keep the present secrets", async () => {
  const { store, host } = await opened({ files: { [file]: sound } });
  const given = sound.replace("secret-one", REDACTED).replace("19000", "19003");
  await store.replace(given, { baseHash: store.current().hash, by: "config.set" });
  assert.is(await host.files.read(file), sound.replace("19000", "19003"));
  const { hash } = store.current();
  await rejects(
    store.patch({ hooks: { token: REDACTED } }, { baseHash: hash, by: "x" }),
    "invalid-request",
    /hooks\.token: .*there is none/,
  );
});

test("the last 20 replaced versions are kept with who and what, and can be brought back", async () => {
  const { store, host } = await opened();
  for (let port = 1; port <= 23; port++) await store.set("gateway.port", port, { by: `writer ${port}` });
  const history = await store.history();
  assert.is(history.length, 20);
  assert.equal([history[0]?.number, history[0]?.by, history[0]?.changedPaths], [1, "writer 23", ["gateway.port"]]);
  assert.not.match(JSON.stringify(history), "raw");
  assert.is((await host.files.list(`${state}/config-history`)).length, 20);
  await store.rollback(3);
  assert.is(store.current().value.gateway.port, 20);
  assert.is((await store.history())[0]?.by, "config rollback 3");
  await rejects(store.rollback(99), "not-found", /config revision 99 does not exist; 1 to 20 are kept/);
});

test("threat S: kept versions and the backup are for the owner alone", async () => {
  const { store, host } = await opened({ files: { [file]: sound } });
  await host.files.chmod(file, 0o644);
  await store.set("ui.x", 1, { by: "x" });
  const [name = ""] = await host.files.list(`${state}/config-history`);
  for (const path of [file, `${file}.bak`, `${state}/config-history/${name}`])
    assert.is((await host.files.stat(path))?.mode, 0o600, path);
});

test("a change made by hand is found on reload, kept in the history and told once", async () => {
  const { store, host } = await opened({ files: { [file]: sound } });
  const seen: ConfigWrite[] = [];
  store.onChange((write) => seen.push(write));
  host.files.put(file, sound.replace("19000", "19004"));
  await store.reload();
  await store.reload();
  assert.equal(
    seen.map(({ changedPaths }) => changedPaths),
    [["gateway.port"]],
  );
  assert.equal(
    (await store.history()).map(({ by }) => by),
    ["another program"],
  );
});

test("a mistake made by hand keeps the last good configuration in force, as a whole", async () => {
  const { store, host } = await opened({
    files: { [file]: "{ ui: { a: 1 }, models: { mode: 'replace' }, channels: {} }" },
  });
  const seen: ConfigWrite[] = [];
  store.onChange((write) => seen.push(write));
  const { value } = store.current();
  for (const wrong of ["{ ui: { a: 2 }, models: { mode: 'oops' }, channels: {} }", "{ ui: { a:", ""]) {
    host.files.put(file, wrong);
    const now = await store.reload();
    assert.is(now.value, value, "not even the sections that are in order");
    assert.equal([now.disabled, now.rejected?.raw, now.rejected?.valid], [[], wrong, false]);
  }
  assert.equal(seen, []);
  host.files.put(file, "{ ui: { a: 3 }, models: { mode: 'merge' }, channels: {} }");
  assert.is((await store.reload()).rejected, undefined);
  assert.equal(
    seen.map(({ changedPaths }) => changedPaths),
    [["ui.a", "models.mode"]],
  );
  assert.is((await store.history()).length, 1, "only what was in force is worth keeping");
});

test("a mistake that was there at the start does not hold up other changes", async () => {
  const { store, host } = await opened({ files: { [file]: "{ ui: { a: 1 }, models: 5 }" } });
  host.files.put(file, "{ ui: { a: 2 }, models: 5 }");
  const { rejected, value } = await store.reload();
  assert.equal([rejected, value.ui], [undefined, { a: 2 }]);
});

test("threat E: a file that is taken away takes no secret out of force, and comes back by rollback", async () => {
  const { store, host } = await opened({ files: { [file]: sound } });
  await host.files.remove(file);
  const { value, rejected } = await store.reload();
  assert.is(value.gateway.auth.token, "secret-one");
  assert.equal([rejected?.exists, rejected?.issues[0]?.path], [false, ""]);
  await store.rollback(1);
  assert.equal([await host.files.read(file), store.current().rejected], [sound, undefined]);
});

test("what a start would refuse is neither read nor written by a gateway that runs", async () => {
  const { store, host } = await opened({ files: { [file]: sound } }, ({ value }) =>
    value.gateway.bind === "lan" ? [{ path: "gateway.bind", message: "is too open" }] : [],
  );
  host.files.put(file, sound.replace('"local"', '"local", bind: "lan"'));
  const { value, rejected } = await store.reload();
  assert.equal([value.gateway.bind, rejected?.issues[0]?.message], ["loopback", "is too open"]);
  host.files.put(file, sound);
  await rejects(store.set("gateway.bind", "lan", { by: "x" }), "invalid-request", "gateway.bind: is too open");
  assert.is(await host.files.read(file), sound);
});

test("a mistake in an included file counts like one in the file, and the file is watched on", async () => {
  const base = `${state}/base.json5`;
  const { store, host } = await opened({
    files: { [file]: '{ $include: "./base.json5" }', [base]: "{ ui: { a: 1 } }" },
  });
  await host.files.remove(base);
  assert.ok((await store.reload()).rejected);
  assert.equal([store.current().value.ui, store.includedFiles?.()], [{ a: 1 }, [base]]);
  host.files.put(base, "{ ui: { a: 2 } }");
  assert.equal((await store.reload()).value.ui, { a: 2 });
});

test("who only stands by reads a change without keeping what it replaced", async () => {
  const { store, host } = await opened({ files: { [file]: sound } });
  host.files.put(file, sound.replace("19000", "19004"));
  assert.is((await store.reload({ keepHistory: false })).value.gateway.port, 19_004);
  assert.equal(await store.history(), []);
});

test("a file that is not JSON5 is unsafe: nothing is known of who may get in", async () => {
  const { store } = await opened({ files: { [file]: '{ gateway: { bind: "lan", ' } });
  const { unsafe, issues, value } = store.current();
  assert.equal(
    [unsafe.length, issues[0]?.path, value.gateway.bind, value.gateway.auth.mode],
    [1, "", "loopback", "token"],
  );
  assert.match(issues[0]?.message ?? "", /JSON5 parse failed: SyntaxError: JSON5: invalid end of input at 1:/);
  await rejects(store.set("gateway.port", 1, { by: "x" }), "config", /JSON5 parse failed/);
});

test("a file that is not JSON5 takes the way in from the last sound version, on loopback alone", async () => {
  const { store, host } = await opened({ files: { [file]: sound.replace("19000", '19000, bind: "lan"') } });
  await store.set("ui.x", 1, { by: "x" });
  host.files.put(file, "{ oops");
  const again = await opened({ disk: host.files });
  const { unsafe, value, issues, recoveredFrom } = again.store.current();
  assert.equal(unsafe, []);
  assert.is(issues[0]?.path, "");
  assert.match(recoveredFrom ?? "", /^[0-9a-f]{64}$/);
  assert.equal([value.gateway.port, value.gateway.bind, value.gateway.auth.token], [19_000, "loopback", "secret-one"]);
  assert.is(value.ui, undefined);
});

test("a link to the file stays a link: what it leads to is replaced", async () => {
  const { store, host } = await opened({ files: { [file]: "{}", "/dotfiles/claw.json": "{}" } });
  const realPath = host.files.realPath.bind(host.files);
  Object.assign(host.files, {
    realPath: async (path: string) => (path === file ? "/dotfiles/claw.json" : realPath(path)),
  });
  await store.set("ui.x", 1, { by: "x" });
  assert.match((await host.files.read("/dotfiles/claw.json")) ?? "", "ui");
  assert.is(await host.files.read(file), "{}");
});

test("what an include brought is changed in its own file only", async () => {
  const { store, host } = await opened({
    files: {
      [file]: '{ agents: { $include: "agents.json", defaults: {} } }',
      [`${state}/agents.json`]: '{ "list": [{ "id": "a" }] }',
    },
  });
  await rejects(
    store.set("agents.list[0].name", "A", { by: "x" }),
    "invalid-request",
    `agents.list comes from ${state}/agents.json`,
  );
  await store.set("agents.defaults.workspace", "/w", { by: "x" });
  assert.match((await host.files.read(file)) ?? "", 'workspace: "/w"');
});

test.run();

interface Opened {
  readonly store: ConfigStore;
  readonly host: ScriptedHost;
}

async function opened(options: ScriptedOptions = {}, refuse?: Refuse): Promise<Opened> {
  const host = scriptedHost(options);
  const paths = pathsOf(host, flavours.openclaw, "");
  return {
    host,
    store: await openConfig(
      host,
      flavours.openclaw,
      paths,
      createLogger(() => 0, []),
      refuse,
    ),
  };
}

async function rejects(work: Promise<unknown>, code: string, message: string | RegExp): Promise<Failure> {
  const failure = Failure.from(
    await work.then(
      () => assert.unreachable("was not refused"),
      (error: unknown) => error,
    ),
  );
  assert.is(failure.code, code, failure.message);
  assert.match(failure.message, message);
  return failure;
}
