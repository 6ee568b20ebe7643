import { test } from "uvu";
import * as assert from "uvu/assert";
import { judge, type Verdict } from "../../src/pairing/judge.ts";
import { type Asked, type DeviceRecord, grant } from "../../src/pairing/record.ts";
import type { Role } from "../../src/protocol/scope.ts";

const local = { silent: true, secret: "proved" } as const;
const remote = { silent: false, secret: "proved" } as const;

test("a new device is let in silently from here, and waits from elsewhere", () => {
  assert.is(say(judge(undefined, asks(), local)), "grant");
  assert.is(say(judge(undefined, asks(), remote)), "not-paired");
});

test("the same or less is known", () => {
  assert.is(say(judge(holds(), asks(), remote)), "known");
  assert.is(say(judge(holds(), asks({ scopes: [] }), remote)), "known");
  assert.is(say(judge(holds({ scopes: ["operator.admin"] }), asks({ scopes: ["operator.pairing"] }), remote)), "known");
});

test("more scopes need the secret and this machine, or a person", () => {
  const more = asks({ scopes: ["operator.read", "operator.admin"] });
  assert.is(say(judge(holds(), more, local)), "grant");
  assert.is(say(judge(holds(), more, remote)), "scope-upgrade");
  assert.is(say(judge(holds(), more, { silent: true, secret: "absent" })), "scope-upgrade");
});

test("threat D: a node becomes an operator silently from here, an operator never becomes a node so", () => {
  assert.is(say(judge(holds({ role: "node" }), asks(), local)), "grant");
  assert.is(say(judge(holds({ role: "node" }), asks(), remote)), "role-upgrade");
  assert.is(say(judge(holds(), asks({ role: "node" }), local)), "role-upgrade");
});

test("threat E: a revoked role does not come back silently", () => {
  const record = holds();
  const token = record.tokens.operator;
  assert.ok(token);
  const revoked = { ...record, tokens: { operator: { ...token, revokedAtMs: 1 } } };
  assert.is(say(judge(revoked, asks(), local)), "role-upgrade");
});

test("another operating system is asked about, a newer version of the same is not", () => {
  const table: readonly (readonly [string, string, string])[] = [
    ["linux", "linux", "known"],
    ["linux", "linux 6.2", "grant"],
    ["ios 18.1", "ios 18.2", "grant"],
    ["linux", " Linux ", "known"],
    ["darwin", "macos 15", "grant"],
    ["linux", "macos", "metadata-upgrade"],
    ["linux", "linuxish", "metadata-upgrade"],
    ["", "linux", "grant"],
    ["linux", "", "known"],
  ];
  for (const [old, now, expected] of table)
    assert.is(say(judge(holds({ platform: old }), asks({ platform: now }), local)), expected, `${old} -> ${now}`);
  const family = judge(holds({ deviceFamily: "iPhone" }), asks({ deviceFamily: "Linux" }), local);
  assert.is(say(family), "metadata-upgrade");
});

test("another key under a known id is a stranger, even from here", () => {
  assert.is(say(judge(holds(), asks({ publicKey: "other" }), local)), "not-paired");
});

function asks(more: Partial<Asked> & { role?: Role } = {}): Asked {
  const role = more.role ?? "operator";
  return {
    deviceId: "d".repeat(64),
    publicKey: "k".repeat(43),
    displayName: undefined,
    platform: "linux",
    deviceFamily: undefined,
    clientId: "cli",
    clientMode: "cli",
    roles: [role],
    scopes: role === "node" ? [] : ["operator.read"],
    remoteIp: "127.0.0.1",
    browserOrigin: undefined,
    silent: true,
    isRepair: false,
    ...more,
    role,
  };
}

function holds(more: Partial<Asked> = {}): DeviceRecord {
  return grant(undefined, asks(more), { via: "silent", now: 1000 });
}

function say(verdict: Verdict): string {
  return verdict.kind === "ask" ? verdict.reason : verdict.kind;
}

test.run();
