import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { tools } from "../../src/tools/index.ts";
import { scriptedApp } from "../support/app.ts";
import { checkResult } from "../support/official.ts";

interface Catalog {
  readonly agentId: string;
  readonly groups: readonly {
    readonly id: string;
    readonly tools: readonly { readonly id: string; readonly defaultProfiles: readonly string[] }[];
  }[];
}

test("SC-022 the catalogue has every tool once: the browser, files, jobs, by group, with the profiles it is in", async () => {
  const { call, app } = scriptedApp();
  const parts = { browser: {}, chats: {}, jobs: {} } as unknown as Awaited<ReturnType<typeof app.toolParts>>;
  Object.assign(app, { toolParts: async () => parts });
  const catalog = (await call("tools.catalog")) as Catalog;
  checkResult("tools.catalog", catalog);
  assert.is(catalog.agentId, "main");
  const listed = catalog.groups.map(({ id, tools }) => [
    id,
    ...tools.map(({ id, defaultProfiles }) => `${id}: ${defaultProfiles.join(" ")}`),
  ]);
  assert.equal(listed, [
    ["fs", "read: coding", "write: coding", "edit: coding"],
    ["sessions", "session_status: minimal coding messaging"],
    ["memory", "memory_search: coding", "memory_get: coding"],
    ["ui", "browser: "],
    ["automation", "cron: "],
    ["messaging", "message: messaging"],
  ]);
  assert.is(listed.flat().length - listed.length, tools.length);
});

test("a tool whose part this gateway lacks is not in the catalogue", async () => {
  const { groups } = (await scriptedApp().call("tools.catalog")) as Catalog;
  assert.equal(
    groups.flatMap(({ tools }) => tools.map(({ id }) => id)),
    ["read", "write", "edit", "session_status", "memory_search", "memory_get"],
  );
});

test("the catalogue of an agent that does not exist is refused by name", async () => {
  try {
    await scriptedApp().call("tools.catalog", { agentId: "nobody" });
    assert.unreachable();
  } catch (error) {
    assert.match(Failure.from(error).message, 'unknown agent id "nobody"');
  }
});

test.run();
