import * as v from "valibot";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { commonSettings, policyOf } from "../../src/channels/channel-policy.ts";

const schema = v.looseObject(commonSettings);
const policy = (settings: object) => policyOf(v.parse(schema, settings));

test("a network that nothing was said about lets nobody in without a code, and listens to no group", () => {
  const { direct, groups, allowBots } = policy({});
  assert.equal(direct, { policy: "pairing", allowFrom: [] });
  assert.equal([groups.policy, groups.rooms, groups.requireMention, groups.historyLimit], ["allowlist", {}, true, 50]);
  assert.is(allowBots, false);
});

test("both ways to write the rules for direct messages count, the newer one first", () => {
  assert.equal(policy({ dm: { policy: "open", allowFrom: ["*"] } }).direct, { policy: "open", allowFrom: ["*"] });
  assert.equal(policy({ dmPolicy: "allowlist", allowFrom: ["1"], dm: { policy: "open", allowFrom: ["*"] } }).direct, {
    policy: "allowlist",
    allowFrom: ["1"],
  });
});

test("direct messages that are switched off stay off, whatever else is written", () => {
  assert.is(policy({ dmPolicy: "open", dm: { enabled: false } }).direct.policy, "disabled");
});

test("ids that were written as numbers are the same ids", () => {
  assert.equal(policy({ allowFrom: [123, "456"] }).direct.allowFrom, ["123", "456"]);
});

test("groups keep their rules, and their topics'", () => {
  const { groups } = policy({
    groupPolicy: "open",
    groupAllowFrom: ["1"],
    groups: { "-100": { requireMention: false, topics: { "42": { enabled: false } } }, "*": {} },
  });
  assert.equal([groups.policy, groups.allowFrom], ["open", ["1"]]);
  assert.is(groups.rooms["-100"]?.requireMention, false);
  assert.is(groups.rooms["-100"]?.topics?.["42"]?.enabled, false);
});

test("what is wrong is refused, not guessed at", () => {
  for (const settings of [
    { allowFrom: "123" },
    { allowFrom: [{}] },
    { dmPolicy: "everybody" },
    { groupPolicy: "yes" },
    { groups: { "1": { requireMention: "no" } } },
    { historyLimit: -1 },
    { historyLimit: 1e9 },
    { mediaMaxMb: 1000 },
    { textChunkLimit: 1 },
  ])
    assert.not(v.safeParse(schema, settings).success, JSON.stringify(settings));
});

test.run();
