import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { scriptedApp } from "../support/app.ts";
import { checkResult } from "../support/official.ts";

const workspace = "/home/me/.openclaw/workspace";

// eslint-disable-next-line typescript/no-explicit-any -- answers are read by path
type Answer = any;

test("an agent's files are listed, those that are not there too", async () => {
  const { call, host } = scriptedApp();
  await host.files.makeFolder(workspace);
  await host.files.write(`${workspace}/SOUL.md`, "kind");
  const listed = (await call("agents.files.list", { agentId: "main" })) as Answer;
  assert.equal([listed.agentId, listed.workspace], ["main", workspace]);
  const soul = listed.files.find(({ name }: Answer) => name === "SOUL.md");
  assert.equal([soul.missing, soul.size, soul.content], [false, 4, undefined]);
  const gone = listed.files.find(({ name }: Answer) => name === "BOOTSTRAP.md");
  assert.equal(gone, { name: "BOOTSTRAP.md", path: `${workspace}/BOOTSTRAP.md`, missing: true, expectedAbsent: true });
});

test("a file is written, also into a workspace that is not there yet, and read back", async () => {
  const { call } = scriptedApp();
  const empty = (await call("agents.files.get", { agentId: "main", name: "USER.md" })) as Answer;
  assert.equal([empty.file.missing, empty.file.content], [true, undefined]);
  const set = (await call("agents.files.set", { agentId: "main", name: "USER.md", content: "Ada" })) as Answer;
  assert.equal([set.ok, set.file.size, set.file.content], [true, 3, "Ada"]);
  const got = (await call("agents.files.get", { agentId: "main", name: "USER.md" })) as Answer;
  assert.is(got.file.content, "Ada");
});

test("threat M: nothing but these files is reached, by whatever name", async () => {
  const { call } = scriptedApp();
  for (const name of ["../openclaw.json", "/etc/passwd", "memory/x.md", "agents.md", "AGENTS.md\u0000", "__proto__"]) {
    for (const method of ["agents.files.get", "agents.files.set"]) {
      const failure = await call(method, { agentId: "main", name, content: "x" }).catch((error: unknown) => error);
      assert.ok(failure instanceof Failure && /unsupported file/.test(failure.message), `${method} ${name}`);
    }
  }
});

test("threat M: a link out of the workspace is neither shown nor written through", async () => {
  const { call, host } = scriptedApp();
  await host.files.makeFolder(workspace);
  await host.files.write("/home/me/private.txt", "secret");
  const realPath = host.files.realPath.bind(host.files);
  const follow = (path: string) => (path === `${workspace}/TOOLS.md` ? "/home/me/private.txt" : path);
  Object.assign(host.files, { realPath: (path: string) => realPath(follow(path)) });
  const got = (await call("agents.files.get", { agentId: "main", name: "TOOLS.md" })) as Answer;
  assert.equal([got.file.missing, got.file.content], [true, undefined]);
  const write = { agentId: "main", name: "TOOLS.md", content: "mine" };
  const refused = await call("agents.files.set", write).catch((error: unknown) => error);
  assert.is(refused instanceof Failure && refused.code, "forbidden");
  assert.is(await host.files.read("/home/me/private.txt"), "secret");
});

test("an agent that is not configured, and a text that is too long, are refused", async () => {
  const { call } = scriptedApp();
  const unknown = await call("agents.files.list", { agentId: "nobody" }).catch((error: unknown) => error);
  assert.is(unknown instanceof Failure && unknown.code, "not-found");
  const long = { agentId: "main", name: "SOUL.md", content: "x".repeat(1024 * 1024 + 1) };
  const refused = await call("agents.files.set", long).catch((error: unknown) => error);
  assert.is(refused instanceof Failure && refused.code, "invalid-request");
});

test("answers follow the published schema", async () => {
  const { call } = scriptedApp();
  checkResult("agents.files.set", await call("agents.files.set", { agentId: "main", name: "SOUL.md", content: "x" }));
  checkResult("agents.files.get", await call("agents.files.get", { agentId: "main", name: "SOUL.md" }));
  checkResult("agents.files.list", await call("agents.files.list", { agentId: "main" }));
});

test.run();
