import { test } from "uvu";
import * as assert from "uvu/assert";
import { main } from "../../src/main.ts";
import { scriptedHost } from "../support/host.ts";
import { home, run, token } from "./run.ts";

const path = "/home/me/.clawdbot/clawdbot.json";

/** Several command lines one after the other on one machine. */
async function lines(files: Readonly<Record<string, string>>, ...all: readonly (readonly string[])[]) {
  const first = scriptedHost({ files });
  const out: { code: number; stdout: string; stderr: string }[] = [];
  for (const args of all) {
    const host = scriptedHost({ name: "clawdbot", args, disk: first.files });
    const code = await main(host);
    out.push({ code, stdout: host.terminal.stdout.text, stderr: host.terminal.stderr.text });
  }
  return { out, text: async () => (await first.files.read(path)) ?? "" };
}

test("config get prints a value; a secret is left out even when asked for by name", async () => {
  const { out } = await lines(
    home,
    ["config", "get", "gateway.mode"],
    ["config", "get", "gateway.auth.token"],
    ["config", "get"],
  );
  assert.equal([out[0]?.code, out[0]?.stdout], [0, "local\n"]);
  assert.is(out[1]?.stdout, "__OPENCLAW_REDACTED__\n");
  assert.not.match(out[2]?.stdout ?? "", token);
});

test("config get of what is not there fails with the documented text", async () => {
  const { code, stdout, stderr } = await run(["config", "get", "x.y"], { files: home });
  assert.equal([code, stdout, stderr], [1, "", "Config path not found: x.y\n"]);
});

test("config set takes JSON5 or text and keeps comments", async () => {
  const files = { [path]: '{\n  // mine\n  gateway: { mode: "local" },\n}\n' };
  const { out, text } = await lines(
    files,
    ["config", "set", "gateway.port", "19001"],
    ["config", "set", "agents.defaults.workspace", "~/work"],
  );
  assert.equal(out[0], { code: 0, stdout: "Updated gateway.port. Restart the gateway to apply.\n", stderr: "" });
  assert.is(out[1]?.code, 0);
  assert.match(await text(), "// mine");
  assert.match(await text(), "19001");
  assert.match(await text(), '"~/work"');
});

test("config unset removes a value, and says when there is none", async () => {
  const { out } = await lines(home, ["config", "unset", "gateway.mode"], ["config", "unset", "gateway.mode"]);
  assert.equal(out[0]?.stdout, "Removed gateway.mode. Restart the gateway to apply.\n");
  assert.equal([out[1]?.code, out[1]?.stderr], [1, "Config path not found: gateway.mode\n"]);
});

test("config set says what a gateway that runs makes of the change", async () => {
  const { pid } = scriptedHost().processes;
  const runtime = JSON.stringify({ pid, port: 18789, url: "ws://127.0.0.1:18789" });
  const { out } = await lines(
    { ...home, "/home/me/.clawdbot/runtime.json": runtime },
    ["config", "set", "messages.queue.cap", "7"],
    ["config", "set", "gateway.port", "19001"],
    ["config", "set", "gateway.reload.mode", "hot"],
    ["config", "set", "gateway.port", "19002"],
  );
  assert.equal(
    out.map(({ stdout }) => stdout),
    [
      "Updated messages.queue.cap. The running gateway takes it up.\n",
      "Updated gateway.port. The running gateway restarts to apply it.\n",
      "Updated gateway.reload.mode. The running gateway takes it up.\n",
      "Updated gateway.port. Restart the gateway to apply.\n",
    ],
  );
});

test("config validate tells what is wrong, exit 1", async () => {
  const good = await run(["config", "validate"], { files: home });
  assert.equal([good.code, good.stdout], [0, "✓ Config valid: ~/.clawdbot/clawdbot.json\n"]);
  const bad = await run(["config", "validate"], { files: { [path]: '{"gateway":{"port":"x"}}' } });
  assert.is(bad.code, 1);
  assert.match(bad.stdout, /^Config invalid\nFile: ~\/\.clawdbot\/clawdbot\.json\nProblem:\n {2}- .*gateway\.port/);
});

test("config file prints where the file is, of a profile too", async () => {
  assert.is((await run(["config", "file"])).stdout, `${path}\n`);
  assert.is((await run(["config", "file", "--dev"])).stdout, "/home/me/.clawdbot-dev/clawdbot.json\n");
  assert.is((await run(["--profile", "rescue", "config", "file"])).stdout, "/home/me/.clawdbot-rescue/clawdbot.json\n");
  assert.is((await run(["config", "file"], { name: "openclaw" })).stdout, "/home/me/.openclaw/openclaw.json\n");
  assert.is((await run(["config", "file"], { name: "clawlet", files: home })).stdout, `${path}\n`);
  assert.is((await run(["config", "file"], { name: "clawlet" })).stdout, "/home/me/.openclaw/openclaw.json\n");
});

test("config history lists what was replaced, and config rollback brings it back", async () => {
  const { out, text } = await lines(
    home,
    ["config", "set", "gateway.port", "19001"],
    ["config", "history"],
    ["config", "rollback", "1"],
    ["config", "rollback", "nine"],
  );
  assert.match(out[1]?.stdout ?? "", /^# +Saved +Replaced by +Changed\n1 +2026-\S+ +config set +gateway\.port\n$/);
  assert.match(out[2]?.stdout ?? "", "Rolled back to version 1");
  assert.not.match(await text(), "19001");
  assert.is(out[3]?.code, 2);
});

test.run();
