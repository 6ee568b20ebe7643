import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { freePort, makeHome, until } from "../support/gateway-process.ts";
import { endLaunched, launch } from "../support/launch.ts";
import { form, root, shipped } from "../support/runtime.ts";
import { calledAs, listening, run } from "./cli-process.ts";

// What the live suite cannot show from inside this machine: that the executable needs nothing of it.
const executable = `${shipped}/clawlet`;
const isRoot = process.getuid?.() === 0;
const why =
  form !== "binary"
    ? "needs the executable: npm test -- --runtime bun"
    : process.platform !== "linux"
      ? "needs Linux"
      : undefined;

if (why !== undefined) test("the executable", () => void process.stdout.write(`skipped: ${why}\n`));
else {
  test.after(endLaunched);

  test("its name is the flavour, by a link, in PATH, and for what starts it again", async () => {
    const home = makeHome();
    for (const [name, folder] of [
      ["clawdbot", ".clawdbot"],
      ["openclaw", ".openclaw"],
    ]) {
      const [link = ""] = calledAs(name ?? "");
      const file = join(home, folder ?? "", `${name}.json`);
      assert.is((await run(["config", "file"], home, { program: [link] })).stdout.trim(), file);
      const env = { PATH: `${dirname(link)}:${process.env["PATH"]}` };
      const inPath = ["sh", "-c", `exec ${name} "$@"`, "sh"];
      assert.is((await run(["config", "file"], home, { program: inPath, env })).stdout.trim(), file);
      const unit = await run(["gateway", "install", "--dry-run"], home, { program: inPath, env });
      assert.match(unit.stdout, link, "a service starts it by the link, too");
    }
    rmSync(home, { recursive: true });
  });

  test("--version tells the version, the commit and the runtime", async () => {
    const home = makeHome();
    const { stdout, stderr } = await run(["--version"], home);
    assert.match(stdout, /^\d+\.\d+\.\d+ \(abc1234, bun \d+\.\d+\.\d+\)\n$/);
    assert.is(stderr, "");
    const { commit } = JSON.parse((await run(["--version", "--json"], home)).stdout);
    assert.is(commit, "abc1234");
    rmSync(home, { recursive: true });
  });

  test("threat M files of the folder it is started in change nothing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "clawlet-trap-"));
    writeFileSync(join(folder, "trap.js"), 'console.log("trapped");\n');
    writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./trap.js"]\n');
    writeFileSync(join(folder, ".env"), "OPENCLAW_STATE_DIR=/trapped\n");
    writeFileSync(join(folder, "package.json"), '{"imports":{"#x":"./trap.js"}}');
    writeFileSync(join(folder, "tsconfig.json"), '{"compilerOptions":{"paths":{"*":["./trap.js"]}}}');
    const { stdout } = await run(["config", "file"], folder, {
      program: ["sh", "-c", 'cd "$0" && exec "$@"', folder, executable],
    });
    assert.is(stdout.trim(), join(folder, ".openclaw", "openclaw.json"));
    rmSync(folder, { recursive: true });
  });

  test("the page's files are inside, where the same function finds them", async () => {
    const { compile, here } = await import("../../scripts/build/binary.ts");
    const folder = mkdtempSync(join(tmpdir(), "clawlet-page-"));
    mkdirSync(join(folder, "page", "icons"), { recursive: true });
    writeFileSync(join(folder, "page", "icons", "a.svg"), "<svg/>");
    const main = join(folder, "main.ts");
    writeFileSync(
      main,
      `import { readFileSync } from "node:fs";
       import { pageFolder } from ${JSON.stringify(join(root, "adapters/machine/page.ts"))};
       console.log(readFileSync(pageFolder(import.meta.filename) + "/icons/a.svg", "utf8"));`,
    );
    const file = join(folder, "program");
    await compile({ target: here(), file, commit: undefined, page: join(folder, "page"), main });
    rmSync(join(folder, "page"), { recursive: true });
    assert.is((await run([], folder, { program: [file] })).stdout, "<svg/>\n");
    rmSync(folder, { recursive: true });
  });

  test("a gateway that nobody asks anything gives back what its start took, and answers as before", async () => {
    const home = makeHome();
    const env = { OPENCLAW_GATEWAY_PORT: String(await freePort()) };
    const gateway = launch(["gateway", "--allow-unconfigured"], home, { env });
    const { pid } = await listening(gateway);
    const small = () => kilobytes(pid, "VmRSS") < kilobytes(pid, "VmHWM") * 0.75;
    await until("less memory than at the start", () => small() || undefined, 15_000);
    assert.match((await run(["gateway", "health"], home, { env })).stdout, "✓ Gateway is healthy");
    assert.is(await gateway.end(), 0);
    rmSync(home, { recursive: true });
  });

  if (!isRoot || spawnSync("unshare", ["--mount", "true"]).status !== 0)
    test("the empty root", () => void process.stdout.write("skipped: needs root, and the right to mount\n"));
  else
    test("a read-only root with libc alone, a state folder, no account and any UID: it starts, and says it is healthy", async () => {
      const place = emptyRoot();
      const port = String(await freePort());
      // A gateway beyond loopback as in a container, and what the Dockerfile asks it.
      const env = {
        HOME: "/home/clawlet",
        OPENCLAW_GATEWAY_TOKEN: "token-of-the-empty-root",
        OPENCLAW_GATEWAY_PORT: port,
      };
      const args = ["gateway", "--bind", "lan", "--allow-unconfigured"];
      const gateway = launch(args, "/home/clawlet", { program: place.command, env });
      await listening(gateway);
      const health = await run(["gateway", "health"], "/home/clawlet", { program: place.command, env });
      assert.match(health.stdout, "✓ Gateway is healthy");
      assert.is(health.status, 0);
      assert.is(await gateway.end(), 0);
      assert.is(gateway.stderr(), "");
      assert.ok(existsSync(join(place.root, "home/clawlet/.openclaw/logs/gateway.log")));
      rmSync(place.root, { recursive: true });
    });
}

/** What proc(5) says of a process's memory. */
function kilobytes(pid: number, name: "VmRSS" | "VmHWM"): number {
  const [, value] = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(value);
}

/**
 * A root with the executable, the libraries that it is linked with, /proc, and a home in which only the state folder
 * may be written to; `command` runs the executable in there, as a UID that no table knows.
 */
function emptyRoot(): { root: string; command: readonly string[] } {
  const root = mkdtempSync(join(tmpdir(), "clawlet-root-"));
  const state = join(root, "home/clawlet/.openclaw");
  mkdirSync(state, { recursive: true });
  mkdirSync(join(root, "proc"));
  chmodSync(root, 0o755);
  chownSync(state, 12_345, 12_345);
  const linked = execFileSync("ldd", [executable], { encoding: "utf8" }).match(/\/\S+/g) ?? [];
  for (const file of linked) cpSync(file, join(root, file), { dereference: true });
  cpSync(executable, join(root, "clawlet"));
  const enter = `
    mount --bind "$0" "$0" && mount --bind "$0/home/clawlet/.openclaw" "$0/home/clawlet/.openclaw" &&
    mount -o remount,bind,ro "$0" && mount -t proc proc "$0/proc" &&
    exec /usr/sbin/chroot --userspec=12345:12345 "$0" /clawlet "$@"`;
  return { root, command: ["unshare", "--mount", "sh", "-c", enter, root] };
}

test.run();
