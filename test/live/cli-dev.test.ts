import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { freePort, makeHome, runCommand, startGateway, until } from "../support/gateway-process.ts";
import { connectOfficial } from "../support/official-client.ts";
import { interpreter, root, sourceMain } from "../support/runtime.ts";
import { calledAs, listening, run } from "./cli-process.ts";
import { endLaunched, launch } from "../support/launch.ts";

test.after(endLaunched);

const clawdbot = calledAs("clawdbot");

test("SC-003 SC-080 SC-083 SC-084 SC-085 SC-087 SC-088 SC-090 SC-091 SC-093 gateway --dev in an empty home", async () => {
  const home = makeHome();
  assert.is((await run(["setup"], home, { program: clawdbot })).status, 0);
  const production = fingerprint(join(home, ".clawdbot")) + fingerprint(join(home, "clawd"));
  const line = ["gateway", "--dev", "--no-watch"];
  const gateway = launch(line, home, { program: clawdbot, env: { CLAWDBOT_GATEWAY_PORT: String(await freePort()) } });
  const { port, pid } = await listening(gateway);

  const lines = gateway.stdout().split("\n");
  assert.equal(lines.slice(0, 4), [
    "✓ dev config created at ~/.clawdbot-dev/clawdbot.json",
    "✓ dev workspace initialized at ~/clawd-dev",
    "✓ agent model: anthropic/claude-opus-4-5",
    `✓ listening on ws://127.0.0.1:${port} (PID ${pid})`,
  ]);
  const state = join(home, ".clawdbot-dev");
  assert.is(statSync(join(state, "clawdbot.json")).mode & 0o777, 0o600);
  assert.is(statSync(state).mode & 0o777, 0o700);
  const files = readdirSync(join(home, "clawd-dev")).filter((name) => name.endsWith(".md"));
  for (const name of ["AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md"])
    assert.ok(files.includes(name), name);
  assert.not(files.includes("BOOTSTRAP.md"));
  const connected = await connectOfficial({ url: `ws://127.0.0.1:${port}`, scopes: ["operator.read"] });
  await connected.stop();

  const found = await run(["--dev", "health"], home, { program: clawdbot });
  assert.equal([found.status, found.stdout.split("\n")[0]], [0, "Gateway Health"], "found on its own port");
  assert.match((await run(["--dev", "gateway", "status"], home, { program: clawdbot })).stdout, `PID ${pid}`);
  assert.is(await gateway.end(), 0);
  assert.is(fingerprint(join(home, ".clawdbot")) + fingerprint(join(home, "clawd")), production);
  rmSync(home, { recursive: true });
});

test("SC-082 SC-086 SC-092 SC-146 --dev gateway is the same, keeps what is there, and --reset makes it anew", async () => {
  const home = makeHome();
  const start = async (...args: readonly string[]) => {
    const env = { OPENCLAW_GATEWAY_PORT: String(await freePort()) };
    const running = launch(["--dev", "gateway", "--no-watch", ...args], home, { env });
    await listening(running);
    assert.is(await running.end(), 0);
    return running.stdout();
  };
  assert.match(
    await start(),
    /^✓ dev config created at ~\/\.openclaw-dev\/openclaw\.json\n✓ dev workspace initialized at /,
  );
  const workspace = join(home, ".openclaw", "workspace-dev");
  const notes = join(workspace, "memory.md");
  cpSync(join(workspace, "SOUL.md"), notes);
  assert.match(await start(), /^✓ agent model/, "nothing is made twice");
  assert.match(await start("--reset"), "✓ dev config created at ~/.openclaw-dev/openclaw.json\n");
  assert.not(existsSync(notes));
  assert.ok(existsSync(join(workspace, "SOUL.md")));
  rmSync(home, { recursive: true });
});

test("SC-086 dev listens on 18789, and on 19001 when another profile's gateway holds that", async () => {
  if ((await taken(18789)) || (await taken(19001))) {
    process.stdout.write("skipped: needs port 18789\n");
    return;
  }
  const home = makeHome();
  const dev = async () => {
    const running = launch(["gateway", "--dev", "--no-watch"], home);
    await listening(running);
    return running;
  };
  const alone = await dev();
  assert.match(alone.stdout(), /listening on ws:\/\/127\.0\.0\.1:18789 \(PID \d+\)/);
  await alone.end();

  const other = await startGateway({ home, port: 18789 });
  const beside = await dev();
  assert.match(beside.stdout(), "dev: port 18789 belongs to the gateway of another profile; using 19001\n");
  assert.match(beside.stdout(), /listening on ws:\/\/127\.0\.0\.1:19001 \(PID \d+\)/);
  const { stdout } = await runCommand(["--dev", "gateway", "status", "--json"], home);
  assert.is(JSON.parse(stdout).rpc.url, "ws://127.0.0.1:19001", "commands find it there");
  await beside.end();
  await other.stop();
  rmSync(home, { recursive: true });
});

test("SC-081 from source, dev starts anew when a source changes, and one signal ends both processes", async () => {
  if (sourceMain === undefined) {
    process.stdout.write("skipped: needs a runtime that reads TypeScript\n");
    return;
  }
  const source = mkdtempSync(join(tmpdir(), "clawlet-source-"));
  for (const name of ["src", "adapters", "package.json", "deno.json"])
    cpSync(join(root, name), join(source, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(source, "node_modules"));
  const copy = [...interpreter, sourceMain.replace(root, source)];
  const home = makeHome();
  const env = { OPENCLAW_GATEWAY_PORT: String(await freePort()) };
  const supervisor = launch(["gateway", "--dev"], home, { program: copy, env });
  const { pid: first } = await listening(supervisor);
  assert.is.not(first, supervisor.pid, "a child of its own");

  const now = new Date();
  utimesSync(join(source, "src", "main.ts"), now, now);
  const pids = () => [...supervisor.stdout().matchAll(/\(PID (\d+)\)/g)].map(([, pid]) => Number(pid));
  const second = await until("second start", () => pids()[1], 20_000);
  assert.is.not(first, second);
  assert.not(alive(first));
  assert.is((await runCommand(["--dev", "health"], home)).status, 0);
  assert.is(await supervisor.end(), 0);
  assert.not(alive(second));
  rmSync(home, { recursive: true });
  rmSync(source, { recursive: true });
});

function taken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** Every file under a folder, by name and content. */
function fingerprint(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(folder, name);
    hash.update(name);
    if (statSync(path).isFile()) hash.update(readFileSync(path));
  }
  return hash.digest("hex");
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // no such process
  }
}

test.run();
