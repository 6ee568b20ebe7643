import { test } from "uvu";
import * as assert from "uvu/assert";
import { main } from "../../src/main.ts";
import { scriptedHost, type ScriptedOptions } from "../support/host.ts";
import { scriptedService } from "./scripted-service.ts";

const state = "/home/me/.clawdbot";
const lived = {
  [`${state}/clawdbot.json`]: '{"gateway":{"mode":"local"}}',
  [`${state}/credentials/oauth.json`]: "{}",
  [`${state}/agents/main/agent/auth-profiles.json`]: "{}",
  [`${state}/agents/main/agent/models.json`]: "{}",
  [`${state}/agents/main/sessions/a.jsonl`]: "{}\n",
  [`${state}/sessions/index.jsonl`]: "{}\n",
  [`${state}/devices/paired.json`]: "{}",
  "/home/me/clawd/SOUL.md": "me",
};

test("reset without --yes where nobody can be asked is refused, and says so in the known words", async () => {
  const { code, stderr, files } = await run(["reset", "--scope", "full", "--non-interactive"]);
  assert.is(code, 2);
  assert.is(stderr, "Non-interactive mode requires --yes.\n");
  assert.ok(files[`${state}/clawdbot.json`]);
});

test("a dry run of a full reset shows each step and does none", async () => {
  const { code, stdout, files } = await run(["reset", "--scope", "full", "--dry-run"]);
  assert.is(code, 0);
  assert.is(
    stdout,
    `[dry-run] stop gateway service
[dry-run] remove ~/.clawdbot
[dry-run] remove ~/clawd
Next: clawdbot onboard && clawdbot gateway install
`,
  );
  assert.equal(files, lived);
});

test("a full reset moves everything to the trash, with a note of where it came from", async () => {
  const { code, stdout, files } = await run(["reset", "--scope", "full", "--yes"]);
  assert.is(code, 0);
  assert.match(stdout, "Moved to Trash: ~/.clawdbot\nMoved to Trash: ~/clawd\n");
  const trash = "/home/me/.local/share/Trash";
  assert.is(files[`${trash}/files/clawd/SOUL.md`], "me");
  assert.match(
    files[`${trash}/info/.clawdbot.trashinfo`] ?? "",
    "[Trash Info]\nPath=/home/me/.clawdbot\nDeletionDate=",
  );
  assert.equal(
    Object.keys(files).filter((path) => !path.startsWith(trash)),
    [],
  );
});

test("a reset of the configuration alone leaves the rest", async () => {
  const { files } = await run(["reset", "--scope", "config", "--yes"]);
  assert.not(`${state}/clawdbot.json` in files);
  assert.ok(files[`${state}/credentials/oauth.json`]);
});

test("a reset of credentials and sessions keeps pairings and what agents are", async () => {
  const { files } = await run(["reset", "--scope", "config+creds+sessions", "--yes"]);
  assert.equal(
    Object.keys(files).filter((path) => path.startsWith(state)),
    [`${state}/agents/main/agent/models.json`, `${state}/devices/paired.json`],
  );
});

test("a second reset finds nothing, and two of a name have room in the trash", async () => {
  const first = await run(["reset", "--scope", "config", "--yes"]);
  const again = await run(["reset", "--scope", "config", "--yes"], { files: { ...first.files, ...lived } });
  assert.ok(again.files["/home/me/.local/share/Trash/files/clawdbot.json 2"]);
  const third = await run(["reset", "--scope", "config", "--yes"], { files: first.files });
  assert.match(third.stdout, "Nothing to remove.");
});

test("a gateway that runs is named, with how to stop it", async () => {
  const lock = {
    id: "11111111-1111-4111-8111-111111111111",
    pid: 4242,
    startTime: "start-4242",
    port: 18789,
    command: "clawdbot gateway",
    createdAt: "2026-01-01T00:00:00.000Z",
  };
  const { code, stderr } = await run(["reset", "--scope", "full", "--yes"], {
    files: { ...lived, [`${state}/gateway.lock`]: JSON.stringify(lock) },
  });
  assert.is(code, 1);
  assert.match(stderr, "a gateway (PID 4242, port 18789) uses this state folder");
  assert.match(stderr, "kill 4242");
});

for (const [what, env] of [
  ["the home folder", "/home/me"],
  ["a folder above it", "/home"],
  ["the whole disk", "/"],
  ["somebody's pictures", "/home/me/pictures"],
] as const)
  test(`threat M: ${what} as the state folder is not removed`, async () => {
    const { code, stderr, files } = await run(["reset", "--scope", "full", "--yes"], {
      env: { CLAWDBOT_STATE_DIR: env },
      files: { ...lived, "/home/me/pictures/cat.png": "cat" },
    });
    assert.is(code, 1);
    assert.match(stderr, "Refusing to remove");
    assert.equal(files, { ...lived, "/home/me/pictures/cat.png": "cat" });
  });

test("threat M: a folder that a variable calls the configuration is not removed", async () => {
  for (const line of [
    ["reset", "--scope", "config", "--yes"],
    ["uninstall", "--state", "--yes"],
  ]) {
    const files = { ...lived, "/home/me/papers/will.txt": "mine" };
    const told = await run(line, { env: { CLAWDBOT_CONFIG_PATH: "/home/me/papers" }, files });
    assert.is(told.code, 1);
    assert.match(told.stderr, "Refusing to remove ~/papers: the configuration is a file, and this is none.");
    assert.equal(told.files, files);
  }
});

test("threat M: a link on the way to a part of the state is not followed", async () => {
  const host = scriptedHost({
    name: "clawdbot",
    files: lived,
    args: ["reset", "--scope", "config+creds+sessions", "--yes"],
  });
  const realPath = async (path: string) => {
    const real = await host.files.realPath(path);
    return real?.replace(`${state}/agents/main`, "/srv/shared");
  };
  const code = await main({ ...host, files: { ...host.files, realPath } });
  assert.is(code, 1);
  assert.match(host.terminal.stderr.text, "a link on the way to it leads somewhere else");
  assert.equal(host.files.snapshot(), lived);
});

for (const [scope, did] of [
  ["user", ["stop user"]],
  ["system", ["stop system"]],
] as const)
  test(`reset stops the service first, that of the ${scope === "user" ? "person" : "whole machine"} as well`, async () => {
    const told: string[] = [];
    const services = scriptedService({ scope, did: told });
    const { code, stdout } = await run(["reset", "--scope", "full", "--yes"], { services });
    assert.equal([code, told], [0, did]);
    assert.match(stdout, "Stopped the gateway service.\nMoved to Trash: ~/.clawdbot\n");
    const none: string[] = [];
    await run(["reset", "--scope", "config", "--yes"], { services: scriptedService({ scope, did: none }) });
    assert.equal(none, [], "a configuration alone may go while it runs");
  });

test("uninstall --service removes the service wherever it is installed, and nothing else", async () => {
  for (const scope of ["user", "system"] as const) {
    const did: string[] = [];
    const services = scriptedService({ scope, did });
    const { code, stdout, files } = await run(["uninstall", "--service", "--yes", "--json"], { services });
    assert.equal([code, did, files], [0, [`uninstall ${scope}`], lived]);
    assert.equal(JSON.parse(stdout).done, ["Removed systemd service: ~/.config/systemd/user/clawdbot-gateway.service"]);
  }
});

test("a service that cannot be stopped keeps everything from being thrown away", async () => {
  const { code, stderr, files } = await run(["reset", "--scope", "full", "--yes"], { services: scriptedService() });
  assert.is(code, 1);
  assert.match(stderr, "the test installs nothing");
  assert.equal(files, lived);
});

test("uninstall says what it would remove, in the known words", async () => {
  const { code, stdout } = await run(["uninstall", "--all", "--dry-run"]);
  assert.is(code, 0);
  assert.is(
    stdout,
    `[dry-run] remove gateway service
[dry-run] remove ~/.clawdbot
[dry-run] remove ~/clawd
CLI still installed. Remove via npm/pnpm if desired.
`,
  );
});

test("uninstall of the state keeps the workspace", async () => {
  const { files } = await run(["uninstall", "--state", "--yes", "--non-interactive"]);
  assert.ok(files["/home/me/clawd/SOUL.md"]);
  assert.not(`${state}/clawdbot.json` in files);
});

test("uninstall of nothing in particular, or without --yes, is wrong usage", async () => {
  assert.is((await run(["uninstall"])).code, 2);
  assert.match((await run(["uninstall", "--all", "--non-interactive"])).stderr, "Non-interactive mode requires --yes.");
});

async function run(args: readonly string[], options: ScriptedOptions = {}) {
  const host = scriptedHost({ name: "clawdbot", files: lived, ...options, args });
  const code = await main(host);
  const { stdout, stderr } = host.terminal;
  return { code, stdout: stdout.text, stderr: stderr.text, files: host.files.snapshot() };
}

test.run();
