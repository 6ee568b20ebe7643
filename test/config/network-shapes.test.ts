import { test } from "uvu";
import * as assert from "uvu/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import { channels } from "../../src/channels/index.ts";
import { describeKeys, jsonSchema, lookUp, uiHints } from "../../src/config/describe.ts";
import { accountShapes, shapeWithNetworks } from "../../src/config/network-shapes.ts";
import { helpOf } from "../../src/config/shape.ts";

const whole = await shapeWithNetworks(channels);

test("every setting of every network has help, for its section and for its accounts", async () => {
  const keys = new Set(describeKeys(whole).map(({ path }) => path));
  for (const entry of channels) {
    const { id } = entry;
    const account = accountShapes(await entry.load());
    assert.equal(
      Object.keys(account).filter((key) => helpOf(account[key] ?? { type: "none" }) === undefined),
      [],
      id,
    );
    for (const key of Object.keys(account)) {
      assert.ok(keys.has(`channels.${id}.${key}`), key);
      assert.ok(keys.has(`channels.${id}.accounts.*.${key}`), key);
    }
  }
});

test("what a network signs in with is a secret, unless it may be shown", async () => {
  const hints = uiHints(whole);
  for (const entry of channels) {
    const { id } = entry;
    for (const { key, public: isPublic = false, file } of (await entry.load()).credentials) {
      assert.is(hints[`channels.${id}.${key}`]?.sensitive ?? false, !isPublic, `${id}.${key}`);
      assert.is(hints[`channels.${id}.accounts.*.${key}`]?.sensitive ?? false, !isPublic, `${id}.${key}`);
      if (file !== undefined) assert.match(hints[`channels.${id}.${file}`]?.help ?? "", key);
    }
  }
});

test("the JSON Schema judges the settings of networks, and knows no less of the rest", () => {
  const check = new Ajv2020({ strict: false, validateFormats: false }).compile(jsonSchema(whole));
  const sound = { telegram: { botToken: "1:a", accounts: { work: { botToken: "2:b", groups: { "*": {} } } } } };
  assert.ok(check({ channels: { ...sound, defaults: { groupPolicy: "open" }, "not-known": { a: 1 } } }));
  for (const telegram of [
    { dmPolicy: "anyone" },
    { historyLimit: -1 },
    { accounts: { work: { linkPreview: "no" } } },
    7,
  ])
    assert.not.ok(check({ channels: { telegram } }), JSON.stringify(telegram));
  const without = (keys: readonly { readonly path: string }[]) =>
    keys.filter(({ path }) => !path.startsWith("channels"));
  assert.equal(without(describeKeys(whole)), without(describeKeys()));
});

test("a look-up leads into a network and its accounts", () => {
  const found = lookUp("channels.telegram.accounts.work.dmPolicy", whole);
  assert.equal(found?.schema["enum"], ["pairing", "allowlist", "open", "disabled"]);
  assert.is(found?.reloadKind, "hot");
  const { children = [] } = lookUp("channels", whole) ?? {};
  assert.equal(
    children.map(({ key }) => key),
    channels.map(({ id }) => id),
  );
});

test.run();
