import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { freePort, makeHome } from "../support/gateway-process.ts";
import { endLaunched, launch } from "../support/launch.ts";
import { openRegistry, registryEnvironment, type Registry } from "../support/registry.ts";
import { root, runtime, shipped } from "../support/runtime.ts";
import { listening, run } from "./cli-process.ts";

// What a person types who has never had this program here, against a registry that has this one package.
const machineNode = runtime === "node" && existsSync(join(dirname(process.execPath), "npx"));
const oneOff = {
  node: [join(dirname(process.execPath), "npx"), "--yes", "clawlet"],
  bun: [`${root}/node_modules/.bin/bunx`, "--bun", "clawlet"],
  deno: [process.execPath, "run", "-A", "npm:clawlet"],
}[runtime];
const why =
  shipped === undefined
    ? "needs what is shipped: npm test -- --program package"
    : runtime === "node" && !machineNode
      ? "needs a Node with npx beside it"
      : undefined;

if (why !== undefined) test(`one-off runs of the package`, () => void process.stdout.write(`skipped: ${why}\n`));
else {
  const tarball = readFileSync(`${shipped}/clawlet.tgz`);
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  let registry: Registry;

  test.before(async () => void (registry = await openRegistry(manifest, tarball)));
  test.after(() => void registry.server.close());
  test.after(endLaunched);

  test(`a one-off run on an empty home fetches one package and starts a gateway`, async () => {
    const home = makeHome();
    // Not in this folder: npx takes the package of the folder that it is in for the one that is wanted.
    const program = ["sh", "-c", 'cd && exec "$0" "$@"', ...oneOff];
    const path = `${dirname(process.execPath)}:${process.env["PATH"]}`;
    const options = { program, env: { PATH: path, ...registryEnvironment(home, registry) } };
    const version = await run(["--version"], home, options);
    assert.match(
      version.stdout,
      new RegExp(`^${manifest.version} \\(abc1234, ${runtime} [\\d.]+\\)\n$`),
      version.stderr,
    );
    assert.equal([...registry.asked], ["/clawlet", "/clawlet/-/clawlet.tgz"], "nothing else is fetched");

    const gateway = launch(["gateway", "--allow-unconfigured", "--port", String(await freePort())], home, options);
    const { pid, port } = await listening(gateway);
    const health = await run(
      ["gateway", "health", "--url", `ws://127.0.0.1:${port}`, "--token", "none"],
      home,
      options,
    );
    assert.match(health.stdout, "✓ Gateway is healthy");
    process.kill(pid, "SIGTERM");
    assert.is(await gateway.exited, 0);
    rmSync(home, { recursive: true });
  });

  test("what npm installs is one package, with the licences of what is in it", () => {
    const folder = `${shipped}/installed/node_modules`;
    assert.equal(
      readdirSync(folder).filter((name) => !name.startsWith(".")),
      ["clawlet"],
    );
    assert.equal(readdirSync(`${folder}/.bin`).sort(), ["clawdbot", "clawlet", "openclaw"]);
    const scripts = Object.keys(JSON.parse(readFileSync(`${folder}/clawlet/package.json`, "utf8")).scripts);
    assert.equal(
      scripts.filter((name) => /^(pre|post)?install$|^prepare$/.test(name)),
      [],
      "nothing runs when it is installed",
    );
    const notices = readFileSync(`${folder}/clawlet/dist/THIRD-PARTY.txt`, "utf8");
    for (const name of ["hono", "valibot", "ws", "multicast-dns", "dns-packet"])
      assert.match(notices, new RegExp(`^${name} \\d\\S+ \\(MIT\\)$`, "m"));
    assert.ok(tarball.byteLength < 3_000_000, `${tarball.byteLength} bytes`);
  });

  test("the package holds dist, the manual page, the guides and the files that npm asks for, nothing else", () => {
    const listed = execFileSync("tar", ["-tzf", `${shipped}/clawlet.tgz`], { encoding: "utf8" })
      .trim()
      .split("\n");
    const others = [
      "package/LICENSE",
      "package/README.md",
      "package/docs/clawlet.1",
      ...readdirSync("docs/guides").map((name) => `package/docs/guides/${name}`),
      "package/package.json",
    ];
    assert.equal(listed.filter((path) => !path.startsWith("package/dist/")).sort(), others.sort());
  });
}

test.run();
