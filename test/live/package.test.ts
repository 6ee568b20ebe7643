import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { dirname, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { freePort, makeHome } from "../support/gateway-process.ts";
import { endLaunched, launch } from "../support/launch.ts";
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
    const options = { program, env: environment(home, registry) };
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

/** Caches of its own, and no registry but ours. */
function environment(home: string, { url }: Registry): Readonly<Record<string, string>> {
  return {
    PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`,
    npm_config_registry: url,
    NPM_CONFIG_REGISTRY: url,
    npm_config_cache: join(home, ".npm"),
    npm_config_audit: "false",
    npm_config_update_notifier: "false",
    BUN_INSTALL_CACHE_DIR: join(home, ".bun"),
    TMPDIR: home,
    DENO_DIR: join(home, ".deno"),
    DENO_NO_UPDATE_CHECK: "1",
  };
}

interface Registry {
  readonly server: Server;
  readonly url: string;
  /** Paths that were asked for, each once. */
  readonly asked: Set<string>;
}

/** An npm registry of one package. */
async function openRegistry(manifest: { name: string; version: string }, tarball: Buffer): Promise<Registry> {
  const asked = new Set<string>();
  let url = "";
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.add(path);
    const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
    const { version } = manifest;
    const release = { ...manifest, dist: { tarball: `${url}/clawlet/-/clawlet.tgz`, integrity } };
    const known = { name: "clawlet", "dist-tags": { latest: version }, versions: { [version]: release }, time: {} };
    const bodies: Readonly<Record<string, string | Buffer>> = {
      "/clawlet": JSON.stringify(known),
      "/clawlet/-/clawlet.tgz": tarball,
    };
    response.statusCode = Object.hasOwn(bodies, path) ? 200 : 404;
    response.end(bodies[path]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  return { server, url, asked };
}

test.run();
