import { test } from "uvu";
import * as assert from "uvu/assert";
import { serviceProgram, type Runtime } from "../../src/service/program.ts";
import { parseSecrets, renderSecrets } from "../../src/service/secrets.ts";
import { servicePath } from "../../src/service/search-path.ts";
import { scriptedHost, type ScriptedOptions } from "../support/host.ts";

async function programs(runtime: Runtime | undefined, options: ScriptedOptions): Promise<readonly string[]> {
  const host = scriptedHost({ env: { PATH: "relative:/usr/bin" }, ...options });
  for (const name of ["node", "bun", "deno"]) host.files.put(`/usr/bin/${name}`, "", 0o755);
  return (await serviceProgram(host, runtime)).program;
}

const source: ScriptedOptions = {
  runtime: "bun",
  self: ["/x/bun", "/src/adapters/bun/main.ts"],
  sources: ["/src/src", "/src/adapters"],
  commands: { "/usr/bin/node": { stdout: "v24.1.0\n" } },
};

test("from source, each runtime has its own main file", async () => {
  assert.equal(await programs(undefined, source), ["/x/bun", "/src/adapters/bun/main.ts"]);
  assert.equal(await programs("deno", source), ["/usr/bin/deno", "run", "-A", "/src/adapters/deno/main.ts"]);
  assert.equal(await programs("node", source), ["/usr/bin/node", "/src/adapters/node/main.ts"]);
});

test("the package is one program for all", async () => {
  const built: ScriptedOptions = { runtime: "node", self: ["/usr/bin/node", "/opt/clawlet/dist/clawdbot.js"] };
  assert.equal(await programs("bun", built), ["/usr/bin/bun", "/opt/clawlet/dist/clawdbot.js"]);
  assert.equal(await programs("deno", built), ["/usr/bin/deno", "run", "-A", "/opt/clawlet/dist/clawdbot.js"]);
});

test("a compiled program runs as it is, and as nothing else", async () => {
  const compiled: ScriptedOptions = { runtime: "bun", self: ["/usr/local/bin/clawlet"] };
  assert.equal(await programs("binary", compiled), ["/usr/local/bin/clawlet"]);
  assert.match(await refusal(programs("node", compiled)), /compiled into one file/);
  assert.match(await refusal(programs("binary", source)), /needs the compiled program/);
});

test("a Node that is too old for TypeScript is refused", async () => {
  const old = { ...source, commands: { "/usr/bin/node": { stdout: "v20.20.2\n" } } };
  assert.match(await refusal(programs("node", old)), /is v20\.20\.2/);
});

test("a program without an absolute path is refused: the service has another folder", async () => {
  assert.match(await refusal(programs(undefined, { self: ["node", "main.js"] })), /absolute path/);
});

test("cli.md 3.2: PATH has what is there, and no version manager of this shell", async () => {
  const host = scriptedHost({ env: { PATH: "/home/me/.nvm/versions/node/v20/bin:/usr/bin" } });
  host.files.putFolder("/home/me/.bun/bin");
  assert.is(await servicePath(host), "/home/me/.bun/bin:/usr/local/bin:/usr/bin:/bin");
});

test("secrets come back as they were; a line break cannot add one", () => {
  const secrets = { OPENCLAW_GATEWAY_TOKEN: 'a=b #"c" $d %e \\', OPENCLAW_GATEWAY_PASSWORD: " p " };
  assert.equal(parseSecrets(renderSecrets(secrets)), secrets);
  assert.equal(parseSecrets(undefined), {});
  assert.throws(() => renderSecrets({ A: "x\nB=y" }), /A has a line break/);
});

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "it was not refused",
    (error: unknown) => String(error),
  );
}

test.run();
