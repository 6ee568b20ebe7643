import { test } from "uvu";
import * as assert from "uvu/assert";
import { agentOfKey, keyPart, parseKey, sessionKey } from "../../src/session/key.ts";

test("a key that a client writes is completed", () => {
  const defaults = { agentId: "main", mainKey: "home" };
  for (const [given, key] of [
    ["main", "agent:main:home"],
    [" Lab1 ", "agent:main:lab1"],
    ["agent:Other:x", "agent:other:x"],
    ["cron:1", "agent:main:cron:1"],
    ["global", "global"],
    ["UNKNOWN", "unknown"],
  ] as const)
    assert.is(sessionKey(given, defaults), key);
});

test("the agent of a key", () => {
  assert.is(agentOfKey("agent:main:home"), "main");
  assert.is(agentOfKey("global"), undefined);
});

test("usual ids stand in keys as they are", () => {
  for (const id of ["123456", "-1001234", "+15551234567", "120363@g.us", "user@example.com", "spaces/abc_d-e"])
    assert.is(keyPart(id), id);
  assert.is(keyPart("U12ab"), "^u12ab");
  assert.is(keyPart("!r:matrix.org"), "!r%3amatrix.org");
  assert.is(keyPart("ä 🦞"), "%c3%a4%20%f0%9f%a6%9e");
});

test("threat K no two ids make one part, and no part ends early", () => {
  const ids = [
    "a",
    "A",
    "^a",
    "%61",
    "^A",
    "a:b",
    "a%3ab",
    "A:b",
    " a",
    "a ",
    "a\n",
    "ä",
    "ã",
    "^-a",
    "^-A",
    "%5e",
    "İ",
    "i̇",
  ];
  const parts = ids.map(keyPart);
  assert.is(new Set(parts).size, ids.length);
  for (const part of parts) assert.match(part, /^[^:\sA-Z]+$/);
  const chat = (id: string) => parseKey(`agent:main:telegram:direct:${keyPart(id)}`)?.chat?.id;
  assert.equal(ids.map(chat), ids);
});

test("threat L a blank id and half a character are no ids", () => {
  for (const id of ["", " ", "\t\n", "\ud83e", "a\udd9e"]) assert.throws(() => keyPart(id), /an id is/);
});

test("a key is taken apart", () => {
  const at = { channel: undefined, accountId: undefined, thread: undefined };
  for (const [key, chat] of [
    ["agent:main:direct:bob", { ...at, type: "direct", id: "bob" }],
    ["agent:main:dm:bob", { ...at, type: "direct", id: "bob" }],
    ["agent:main:telegram:direct:1", { ...at, type: "direct", id: "1", channel: "telegram" }],
    ["agent:main:slack:work:direct:^u1", { ...at, type: "direct", id: "U1", channel: "slack", accountId: "work" }],
    ["agent:main:telegram:group:-1", { ...at, type: "group", id: "-1", channel: "telegram" }],
    ["agent:main:irc:channel:#x", { ...at, type: "channel", id: "#x", channel: "irc" }],
    [
      "agent:main:telegram:group:-1:topic:7",
      { ...at, type: "group", id: "-1", channel: "telegram", thread: { kind: "topic", id: "7" } },
    ],
    ["agent:main:x:direct:direct", { ...at, type: "direct", id: "direct", channel: "x" }],
    ["agent:main:x:group:thread", { ...at, type: "group", id: "thread", channel: "x" }],
  ] as const)
    assert.equal(parseKey(key)?.chat, chat, key);
  for (const key of ["agent:main:main", "agent:main:cron:1", "agent:main:subagent:1", "agent:main:teams:group:19:a"])
    assert.is(parseKey(key)?.chat, undefined, key);
  assert.equal(parseKey("agent:main:lab"), { agentId: "main", rest: "lab", chat: undefined });
  for (const key of ["global", "unknown", "agent:main", "main"]) assert.is(parseKey(key), undefined);
  assert.is(parseKey("agent:main:x:direct:50%zz")?.chat?.id, "50%zz");
});

test.run();
