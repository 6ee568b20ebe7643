import { test } from "uvu";
import * as assert from "uvu/assert";
import { installationFrom, installationOf } from "../../src/cli/installation.ts";
import { isNewer, latestRelease } from "../../src/cli/latest-release.ts";
import { Failure } from "../../src/kit/error.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { scriptedHost } from "../support/host.ts";
import { run } from "./run.ts";

const places: readonly (readonly [script: string, kind: string, first: string])[] = [
  ["/usr/local/lib/node_modules/clawlet/dist/clawlet.js", "npm", "npm install --global clawlet@latest"],
  [
    "C:\\Users\\me\\AppData\\Roaming\\npm\\node_modules\\clawlet\\dist\\clawlet.js",
    "npm",
    "npm install --global clawlet@latest",
  ],
  ["/home/me/.npm/_npx/1f/node_modules/clawlet/dist/clawlet.js", "npx", "npx clawlet@latest"],
  ["/tmp/bunx-1000-clawlet@latest/node_modules/clawlet/dist/clawlet.js", "bunx", "bunx clawlet@latest"],
  ["/home/me/.bun/install/global/node_modules/clawlet/dist/clawlet.js", "bun", "bun add --global clawlet@latest"],
  [
    "/home/me/.local/share/pnpm/global/5/node_modules/clawlet/dist/clawlet.js",
    "pnpm",
    "pnpm add --global clawlet@latest",
  ],
  ["/home/me/.config/yarn/global/node_modules/clawlet/dist/clawlet.js", "yarn", "yarn global add clawlet@latest"],
  [
    "/home/me/.cache/deno/npm/registry.npmjs.org/clawlet/0.1.0/dist/clawlet.js",
    "deno",
    "deno install --global --force --allow-all npm:clawlet@latest",
  ],
  ["/srv/my app/node_modules/clawlet/dist/clawlet.js", "dependency", 'cd "/srv/my app"'],
];

for (const [script, kind, first] of places) {
  test(`${script} was installed by ${kind}`, () => {
    const found = installationFrom({ script, root: "/x", isCheckout: false, isBinary: false, isSource: false });
    assert.is(found.kind, kind);
    assert.is(found.commands[0], first);
  });
}

test("a link in a folder of programs is followed to the package that it belongs to", async () => {
  const host = scriptedHost({ self: ["/usr/bin/node", "/usr/local/bin/clawlet"] });
  const files = { ...host.files, realPath: async () => "/usr/local/lib/node_modules/clawlet/dist/clawlet.js" };
  assert.is((await installationOf({ ...host, files })).kind, "npm");
});

test("source with .git beside it is a checkout, without it a folder", async () => {
  const sources = ["/srv/clawlet/src", "/srv/clawlet/adapters"];
  const self = ["/usr/bin/bun", "/srv/clawlet/adapters/bun/main.ts"];
  assert.is((await installationOf(scriptedHost({ sources, self }))).kind, "source");
  const checkout = scriptedHost({ sources, self, files: { "/srv/clawlet/.git/HEAD": "ref: refs/heads/main" } });
  assert.equal((await installationOf(checkout)).commands, ["cd /srv/clawlet", "git pull --ff-only", "npm install"]);
});

test("a compiled program says to put the new one in its place", async () => {
  const { code, stdout } = await run(["update", "status"], { self: ["/opt/clawlet"] });
  assert.is(code, 0);
  assert.match(stdout, /a program of its own/);
  assert.match(stdout, /in the place of this one/);
});

test("update says that it never updates itself, update status --json is one document", async () => {
  const self = ["/usr/bin/node", "/usr/local/lib/node_modules/clawlet/dist/clawlet.js"];
  assert.match((await run(["update"], { self })).stdout, /never updates itself/);
  const answer = JSON.parse((await run(["update", "status", "--json"], { self })).stdout);
  assert.equal(answer.install.kind, "npm");
  assert.equal(answer.check, undefined);
});

const clock = createFakeClock();
const asking = (answer: () => Promise<Response>) =>
  latestRelease({
    fetch: answer as unknown as typeof fetch,
    signal: new AbortController().signal,
    clock,
    timeoutMs: 3000,
  });

test("the registry's newest version is taken from a sound answer alone", async () => {
  assert.is(await asking(async () => Response.json({ version: "2.0.1" })), "2.0.1");
  const wrong: readonly (() => Promise<Response>)[] = [
    async () => new Response("not found", { status: 404 }),
    async () => new Response("{"),
    async () => Response.json({ version: "\u001b[31m1.0.0" }),
    async () => new Response("x".repeat(1_100_000)),
    () => Promise.reject(new TypeError("network is down")),
  ];
  for (const answer of wrong) {
    const failure = await asking(answer).then(
      () => undefined,
      (error: unknown) => Failure.from(error),
    );
    assert.is(failure?.code, "unavailable");
  }
});

test("a registry that is silent, or begins and never ends, is given up on", async () => {
  const silent = (_: unknown, init?: RequestInit) =>
    new Promise<Response>((_resolve, reject) =>
      init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))),
    );
  const outcome = latestRelease({
    fetch: silent as typeof fetch,
    signal: new AbortController().signal,
    clock,
    timeoutMs: 3000,
  }).catch((error: unknown) => Failure.from(error));
  await clock.advance(3000);
  assert.is(((await outcome) as Failure).code, "timeout");
});

test("a newer version is told by its numbers, and a release from what came before it", () => {
  assert.ok(isNewer("0.10.0", "0.9.9"));
  assert.not.ok(isNewer("0.1.0", "0.1.0"));
  assert.ok(isNewer("1.0.0", "1.0.0-beta.2"));
  assert.not.ok(isNewer("0.9.0+5", "0.9.0"));
});

test.run();
