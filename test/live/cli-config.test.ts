import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeHome, runCommand } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";

test.after(endLaunched);

const commented = `// kept by hand
{
  gateway: {
    mode: "local", // this machine
    port: 18789,
  },
}
`;

/** A home with this configuration, the commands that work on it, and its file. */
function configured(text: string) {
  const home = makeHome();
  const file = join(home, ".openclaw", "openclaw.json");
  mkdirSync(join(home, ".openclaw"), { mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600 });
  return {
    home,
    file,
    text: () => readFileSync(file, "utf8"),
    config: (...args: readonly string[]) => runCommand(["config", ...args], home),
    forget: () => rmSync(home, { recursive: true }),
  };
}

test("SC-016 SC-131 config set gateway.mode local makes a private file with which the gateway may start", async () => {
  const home = makeHome();
  const { status, stdout, stderr } = await runCommand(["config", "set", "gateway.mode", "local"], home);
  assert.equal([status, stdout, stderr], [0, "Updated gateway.mode. Restart the gateway to apply.\n", ""]);
  const file = join(home, ".openclaw", "openclaw.json");
  assert.equal(JSON.parse(readFileSync(file, "utf8")).gateway, { mode: "local" });
  assert.is(statSync(file).mode & 0o777, 0o600);
  rmSync(home, { recursive: true });
});

test("config get, set and unset: values by path, comments kept, secrets left out", async () => {
  const { config, text, forget } = configured(commented);
  assert.is((await config("get", "gateway.port")).stdout, "18789\n");
  await config("set", "gateway.port", "19001");
  assert.match(text(), "// kept by hand");
  assert.match(text(), 'mode: "local", // this machine');
  assert.is((await config("get", "gateway.port", "--json")).stdout, "19001\n");
  await config("unset", "gateway.port");
  assert.is((await config("get", "gateway")).stdout, '{\n  "mode": "local"\n}\n');
  await config("set", "gateway.auth.token", "a-secret-of-this-test");
  assert.match(text(), "a-secret-of-this-test");
  assert.not.match((await config("get")).stdout, "a-secret-of-this-test");
  forget();
});

test("a value that is not allowed, an unknown path and a missing one change nothing and say why", async () => {
  const { config, text, forget } = configured(commented);
  const wrong = await config("set", "gateway.bind", "everywhere");
  assert.match(
    wrong.stderr,
    'gateway.bind: is "everywhere"; set it to one of "loopback", "lan", "tailnet", "auto", "custom"',
  );
  const missing = await config("get", "gateway.nope");
  assert.is(missing.stderr, "Config path not found: gateway.nope\n");
  const absent = await config("unset", "gateway.nope");
  const short = await config("set", "gateway.port");
  assert.match(short.stderr, /^missing <value>/);
  assert.equal([wrong.status, missing.status, absent.status, short.status], [1, 1, 1, 2]);
  assert.is(text(), commented);
  forget();
});

test("config file prints the path alone", async () => {
  const { config, file, forget } = configured("{}");
  assert.equal(await config("file"), { status: 0, stdout: `${file}\n`, stderr: "" });
  assert.equal(JSON.parse((await config("file", "--json")).stdout), { path: file });
  forget();
});

test("config validate: status 0 when sound; what is wrong by path and by line otherwise", async () => {
  const sound = configured(commented);
  assert.equal(await sound.config("validate"), {
    status: 0,
    stdout: "✓ Config valid: ~/.openclaw/openclaw.json\n",
    stderr: "",
  });
  sound.forget();

  const odd = configured('{ gateway: { mode: "local", port: "many" }, extra: 1 }');
  const report = await odd.config("validate");
  assert.match(report.stdout, /^Config invalid\nFile: ~\/\.openclaw\/openclaw\.json\nProblem:\n/);
  assert.match(report.stdout, /  - gateway\.port: /);
  assert.match(report.stdout, "  ! extra: unknown key, kept and not used");
  assert.is(report.status, 1);
  odd.forget();

  const broken = configured('{\n  gateway: {\n    mode: "local"\n    port: 1\n  }\n}\n');
  const { status, stdout } = await broken.config("validate");
  assert.match(stdout, /line 4|4:\d+/);
  assert.is(status, 1);
  const json = JSON.parse((await broken.config("validate", "--json")).stdout);
  assert.is(json.valid, false);
  const refused = await broken.config("set", "gateway.port", "1");
  assert.match(refused.stderr, /line 4|4:\d+/);
  assert.is.not(refused.status, 0, "a file that cannot be read is not written over");
  broken.forget();
});

test("config history lists what was replaced and by what, and rollback brings it back", async () => {
  const { config, text, forget } = configured(commented);
  assert.is((await config("history")).stdout, "No earlier versions.\n");
  await config("set", "gateway.port", "19001");
  await config("set", "gateway.port", "19002");
  const { revisions } = JSON.parse((await config("history", "--json")).stdout);
  assert.equal(
    revisions.map(({ number, by, changedPaths }: Record<string, unknown>) => [number, by, changedPaths]),
    [
      [1, "config set", ["gateway.port"]],
      [2, "config set", ["gateway.port"]],
    ],
  );
  assert.is((await config("rollback", "2")).stdout, "Rolled back to version 2 (gateway.port).\n");
  assert.is(text(), commented, "to the letter");
  const none = await config("rollback", "99");
  assert.is.not(none.status, 0);
  assert.match((await config("rollback", "x")).stderr, "x is not the number of a version; see clawlet config history");
  forget();
});

test("several processes that set at once lose nothing", async () => {
  const { config, forget } = configured(commented);
  const keys = ["ONE", "TWO", "THREE", "FOUR"];
  const done = await Promise.all(keys.map((key) => config("set", `env.vars.${key}`, key)));
  assert.equal(
    done.map(({ status, stderr }) => [status, stderr]),
    keys.map(() => [0, ""]),
  );
  const kept = JSON.parse((await config("get", "env.vars", "--json")).stdout);
  assert.equal(Object.keys(kept).sort(), [...keys].sort());
  forget();
});

test.run();
