import { test } from "uvu";
import * as assert from "uvu/assert";
import { legacyPaths, migrateLegacy } from "../../src/config/legacy.ts";
import { validate } from "../../src/config/validate.ts";

/** Each migration of cli.md 2.12: what an older version wrote, and what is read now. */
const rows: readonly (readonly [name: string, before: object, after: object])[] = [
  ["gateway.token", { gateway: { token: "t" } }, { gateway: { auth: { token: "t" } } }],
  ["routing.allowFrom", { routing: { allowFrom: ["+1"] } }, { channels: { whatsapp: { allowFrom: ["+1"] } } }],
  [
    "routing.groupChat",
    { channels: { telegram: {} }, routing: { groupChat: { requireMention: true, mentionPatterns: ["@me"] } } },
    {
      channels: { telegram: { groups: { "*": { requireMention: true } } } },
      messages: { groupChat: { mentionPatterns: ["@me"] } },
    },
  ],
  ["routing.queue", { routing: { queue: { mode: "collect" } } }, { messages: { queue: { mode: "collect" } } }],
  [
    "routing.bindings and accountID",
    { routing: { bindings: [{ agentId: "a", match: { channel: "slack", accountID: "x" } }] } },
    { bindings: [{ agentId: "a", match: { channel: "slack", accountId: "x" } }] },
  ],
  [
    "routing.agents and defaultAgentId",
    { routing: { agents: { work: { workspace: "~/w" } }, defaultAgentId: "work" } },
    { agents: { list: [{ id: "work", workspace: "~/w", default: true }] } },
  ],
  [
    "routing.agentToAgent",
    { routing: { agentToAgent: { enabled: true } } },
    { tools: { agentToAgent: { enabled: true } } },
  ],
  [
    "routing.transcribeAudio",
    { routing: { transcribeAudio: { command: ["whisper", "{{MediaPath}}"], timeoutSeconds: 9 } } },
    {
      tools: {
        media: { audio: { models: [{ type: "cli", command: "whisper", args: ["{{MediaPath}}"], timeoutSeconds: 9 }] } },
      },
    },
  ],
  [
    "identity",
    { identity: { name: "Sam" } },
    { agents: { list: [{ id: "main", default: true, identity: { name: "Sam" } }] } },
  ],
  [
    "agent.model and its stand-ins",
    { agent: { model: "a/b", modelFallbacks: ["c/d"], allowedModels: ["a/b"], modelAliases: { opus: "a/b" } } },
    { agents: { defaults: { model: { primary: "a/b", fallbacks: ["c/d"] }, models: { "a/b": { alias: "opus" } } } } },
  ],
  [
    "agent.*",
    { agent: { workspace: "~/w", tools: { allow: ["read"] }, bash: { timeoutSec: 1 }, elevated: { enabled: false } } },
    {
      agents: { defaults: { workspace: "~/w" } },
      tools: { allow: ["read"], exec: { timeoutSec: 1 }, elevated: { enabled: false } },
    },
  ],
  ["messages.tts.enabled", { messages: { tts: { enabled: true } } }, { messages: { tts: { auto: "always" } } }],
];

for (const [name, before, after] of rows) {
  test(`cli.md 2.12: ${name} is put where it is read, once`, () => {
    const { value, moved } = migrateLegacy(before);
    assert.equal(value, after);
    assert.ok(moved.length > 0);
    assert.equal(migrateLegacy(value), { value, moved: [] });
  });
}

test("what the new key holds stays, and the old key goes", () => {
  const { value } = migrateLegacy({ gateway: { token: "old", auth: { token: "new" } } });
  assert.equal(value, { gateway: { auth: { token: "new" } } });
});

test("an old key without a known place stays, and what is in order is not touched", () => {
  assert.equal(migrateLegacy({ routing: { strange: 1 } }), { value: { routing: { strange: 1 } }, moved: [] });
  assert.equal(migrateLegacy("no object"), { value: "no object", moved: [] });
});

test("what is given is not changed in place", () => {
  const given = { gateway: { token: "t" } };
  migrateLegacy(given);
  assert.equal(given, { gateway: { token: "t" } });
});

test("what is told of an old key follows from where it is moved to", () => {
  const told = (source: object) => validate(source).warnings.map(({ message }) => message);
  assert.equal(told({ identity: { name: "x" } }), [
    'Config uses "identity". This key is ignored; use "agents.list[].identity" instead.',
  ]);
  const [routing = ""] = told({ routing: { allowFrom: [] } });
  for (const place of ["agents", "bindings", "channels", "messages", "tools"]) assert.match(routing, place);
  for (const [from] of legacyPaths().filter(([path]) => !/[[*]/.test(path))) {
    const old = from.split(".").reduceRight<unknown>((value, name) => ({ [name]: value }), true);
    assert.is(validate(old).warnings.length, 1, from);
  }
});

test.run();
