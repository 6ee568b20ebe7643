import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { tellOfNames, withBareIds } from "../../src/channels/channel-people.ts";
import { commonSettings, policyOf } from "../../src/channels/channel-policy.ts";
import { scriptedContext } from "../support/channel-context.ts";

const policy = policyOf(
  v.parse(v.looseObject(commonSettings), {
    allowFrom: ["slack:U1", " U2 ", "*"],
    groupAllowFrom: ["Slack:U3"],
    groups: { C1: { allowFrom: ["slack:U4", "alice"] }, C2: { requireMention: false } },
  }),
);

test("people are named as the network names them, wherever they are listed", () => {
  const { direct, groups } = withBareIds(policy, /^slack:/i);
  assert.equal([direct.allowFrom, groups.allowFrom], [["U1", "U2", "*"], ["U3"]]);
  assert.equal(groups.rooms["C1"]?.allowFrom, ["U4", "alice"]);
  assert.equal([groups.rooms["C2"]?.allowFrom, groups.rooms["C2"]?.requireMention], [undefined, false]);
});

test("threat L: the log says who is listed by a name", () => {
  const { context, log } = scriptedContext();
  tellOfNames(context.log, withBareIds(policy, /^slack:/i), (id) => /^U\d$/.test(id));
  assert.equal(
    log.map(({ fields }) => fields["name"]),
    ["alice"],
  );
});

test.run();
