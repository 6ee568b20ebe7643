import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { configSchema, type Config } from "../../src/config/schema.ts";
import { profilesOf, toolPolicy } from "../../src/tools/policy.ts";
import { parameters, tool, type Tool } from "../../src/tools/tool.ts";
import { tools as builtIn, toolSpecs } from "../../src/tools/index.ts";

const names = ["read", "write", "edit", "exec", "process", "session_status", "sessions_list", "message", "Weather"];
const tools: readonly Tool[] = names.map((name) =>
  tool({
    name,
    summary: "",
    description: "",
    effect: "read",
    params: parameters({}),
    run: async () => ({ content: [] }),
  }),
);

function configWith(value: unknown): Config {
  return v.parse(configSchema, value);
}

function allowed(value: unknown, model?: string, agentId = "main"): string {
  return toolPolicy(tools, configWith(value), { agentId, model })
    .allowed.map(({ name }) => name)
    .join(" ");
}

const all = names.join(" ");

test("with nothing configured every tool is allowed", () => {
  assert.is(allowed({}), all);
  assert.equal(toolPolicy(builtIn, configWith({}), { agentId: "main" }), { allowed: builtIn, warnings: [] });
});

test("a profile is where lists begin", () => {
  assert.is(allowed({ tools: { profile: "minimal" } }), "session_status");
  assert.is(allowed({ tools: { profile: "Coding" } }), "read write edit exec process session_status sessions_list");
  assert.is(allowed({ tools: { profile: "messaging" } }), "session_status sessions_list message");
  assert.is(allowed({ tools: { profile: "full" } }), all);
  assert.is(allowed({ tools: { profile: "coding", allow: ["message", "read"] } }), "read");
});

test("lists take names, groups and patterns, whatever their capitals", () => {
  assert.is(allowed({ tools: { allow: ["group:FS"] } }), "read write edit");
  assert.is(allowed({ tools: { allow: ["Sess*", "weather"] } }), "session_status sessions_list Weather");
  assert.is(allowed({ tools: { deny: ["group:openclaw"] } }), "");
  assert.is(allowed({ tools: { allow: ["*"], deny: ["group:runtime", "*e*"] } }), "");
  assert.is(allowed({ tools: { allow: ["r.ad", "re+d", "read"] } }), "read");
  assert.is(allowed({ tools: { allow: "read" } }), "read");
});

test("deny wins, wherever it stands, and an agent cannot get back what the gateway took", () => {
  const agents = { list: [{ id: "main", tools: { allow: ["read", "exec"], deny: ["write"] } }, { id: "other" }] };
  assert.is(allowed({ tools: { deny: ["exec"] }, agents }), "read");
  assert.is(allowed({ tools: { allow: ["write", "exec"], deny: [] }, agents }), "exec");
  assert.is(allowed({ tools: { allow: ["write"] }, agents }, undefined, "other"), "write");
  const entries = { entries: { main: { tools: { profile: "minimal" } } } };
  assert.is(allowed({ tools: { profile: "full" }, agents: entries }), "session_status");
});

test("rules for a provider or a model narrow the others", () => {
  const config = {
    tools: {
      profile: "coding",
      byProvider: { mock: { deny: ["exec"] }, "mock/small": { profile: "minimal" }, other: { deny: ["*"] } },
    },
  };
  assert.is(allowed(config, "mock/big"), "read write edit process session_status sessions_list");
  assert.is(allowed(config, "mock/small"), "session_status");
  assert.is(allowed(config), "read write edit exec process session_status sessions_list");
});

test("an allow list that names no tool that exists is ignored, with a warning", () => {
  const config = configWith({ tools: { allow: ["reed", "group:toys"] } });
  const { allowed, warnings } = toolPolicy(tools, config, { agentId: "main" });
  assert.is(allowed.length, tools.length);
  assert.equal(warnings, ["tools.allow names no tool that exists (reed, group:toys): it is ignored."]);
  // A tool that exists in principle is meant: nothing else is given in its place.
  assert.equal(toolPolicy(tools, configWith({ tools: { allow: ["browser"] } }), { agentId: "main" }).allowed, []);
});

test("a profile that does not exist gives the least, with a warning", () => {
  const { allowed, warnings } = toolPolicy(tools, configWith({ tools: { profile: "hasOwnProperty" } }), {
    agentId: "main",
  });
  assert.equal(
    allowed.map(({ name }) => name),
    ["session_status"],
  );
  assert.match(warnings[0] ?? "", 'tools.profile is "hasOwnProperty": minimal is used');
});

test("lists that are something else are as good as none", () => {
  for (const value of [{ allow: null, deny: {}, byProvider: [] }, { deny: [1, {}, ""] }])
    assert.is(allowed({ tools: value }, "mock/big"), all, JSON.stringify(value));
});

test("the built-in tools are told to models as JSON Schema with a sentence for each parameter", () => {
  for (const { name, description, parameters } of toolSpecs(builtIn)) {
    assert.match(name, /^[a-z_]{1,64}$/);
    assert.ok(description.length > 20);
    assert.is(parameters["type"], "object");
    assert.not.ok("$schema" in parameters);
    for (const property of Object.values(parameters["properties"] as Record<string, { description?: string }>))
      assert.ok(property.description, name);
  }
  assert.equal(
    toolSpecs(builtIn).map(({ name }) => name),
    ["read", "write", "edit", "memory_search", "memory_get", "browser", "cron", "message", "session_status"],
  );
  assert.equal(profilesOf("session_status"), ["minimal", "coding", "messaging"]);
});

test("a parameter under another name gives way to the one under its own, and null counts as absent", () => {
  const schema = parameters({ path: v.string(), limit: v.optional(v.number()) }, { file_path: "path" });
  assert.equal(v.parse(schema, { file_path: "a", path: "b", limit: null, constructor: 1 }), { path: "b" });
  assert.equal(v.parse(schema, JSON.parse('{"file_path":"a","__proto__":{"limit":3}}')), { path: "a" });
  assert.is(v.safeParse(schema, ["a"]).success, false);
});

test.run();
