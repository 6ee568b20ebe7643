import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { openSenders } from "../../src/pairing/senders.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { createFakeClock, startOfTime } from "../support/fake-clock.ts";
import { createMemoryFiles } from "../support/memory-files.ts";
import { refusal } from "../support/pairing.ts";

const HOUR = 3_600_000;
const folder = "/state/credentials";
const pairing = `${folder}/telegram-pairing.json`;
const allowFrom = `${folder}/telegram-allowFrom.json`;
const at = { channel: "telegram", accountId: "default" };

function open(clock = createFakeClock(), files = createMemoryFiles(() => clock.now())) {
  const logged: LogRecord[] = [];
  const log = createLogger(() => clock.now(), [(record) => void logged.push(record)]);
  const senders = openSenders(createFolderStore(files, "/state"), clock, log);
  const document = async (path: string): Promise<unknown> => JSON.parse((await files.read(path)) ?? "null");
  /** Asks, and answers the code. */
  const code = async (sender: string, more: object = {}): Promise<string> => {
    const asked = await senders.ask({ ...at, sender, ...more });
    return asked.outcome === "waits" ? asked.code : asked.outcome;
  };
  return { clock, files, senders, logged, document, code };
}

/** A request as OpenClaw and Clawdbot write it. */
function foreign(id: string, code: string, ageMs = 0, meta?: object) {
  const createdAt = new Date(startOfTime - ageMs).toISOString();
  return { id, code, createdAt, lastSeenAt: createdAt, ...(meta ? { meta } : {}) };
}

test("8.13 a stranger is told a code of 8 characters without 0, O, 1 and I, once", async () => {
  const { senders } = open();
  const codes = new Set<string>();
  for (let index = 0; index < 100; index++) {
    const asked = await senders.ask({ channel: `c${index}`, sender: "123" });
    if (asked.outcome !== "waits") throw new Error(asked.outcome);
    assert.match(asked.code, /^[A-HJ-NP-Z2-9]{8}$/);
    assert.is(asked.isNew, true);
    codes.add(asked.code);
  }
  assert.is(codes.size, 100);
  const first = await senders.ask({ ...at, sender: "123" });
  assert.equal(await senders.ask({ ...at, sender: "123" }), { ...first, isNew: false });
});

test("8.13 a code counts for an hour", async () => {
  const { senders, clock, code } = open();
  const given = await code("123");
  await clock.advance(HOUR - 1);
  assert.is((await senders.waiting()).length, 1);
  await clock.advance(1);
  assert.equal(await senders.waiting(), []);
  assert.match(await refusal(senders.approve("telegram", "default", given)), "nobody who waits at telegram (default)");
  assert.is.not(await code("123"), given);
});

test("8.13 three wait at an account, a fourth is told nothing, another account has three of its own", async () => {
  const { senders, clock, code } = open();
  for (const sender of ["1", "2", "3"]) await code(sender);
  assert.is(await code("4"), "full");
  assert.is((await code("4", { accountId: "work" })).length, 8);
  await clock.advance(HOUR);
  assert.is((await code("4")).length, 8);
  assert.is((await senders.waiting(at)).length, 1);
});

test("8.13 who is approved is let in, and is no stranger any more", async () => {
  const { senders, code, document } = open();
  const given = await code("123", { about: { name: "Ada", username: undefined } });
  assert.is((await senders.allowed("telegram")).has("123"), false);
  const { sender, about } = await senders.approve("telegram", "default", ` ${given.toLowerCase()} `);
  assert.equal([sender, about], ["123", { name: "Ada" }]);
  assert.equal([...(await senders.allowed("telegram"))], ["123"]);
  assert.equal(await senders.ask({ ...at, sender: "123" }), { outcome: "allowed" });
  assert.equal(await document(allowFrom), { version: 1, ...at, allowFrom: ["123"] });
  assert.equal(await document(pairing), { version: 1, requests: [] });
});

test("8.13 who is dismissed is not let in, and may ask again", async () => {
  const { senders, code } = open();
  const given = await code("123");
  assert.is((await senders.dismiss("telegram", "default", given)).sender, "123");
  assert.equal([...(await senders.allowed("telegram"))], []);
  assert.equal(await senders.waiting(), []);
  assert.is.not(await code("123"), given);
});

test("2.10 the files of an existing installation are read and written on", async () => {
  const { files, senders, document } = open();
  const waits = foreign("123456789", "QRSTUV23", 60_000, { username: "ada", firstName: "Ada", accountId: "default" });
  const early = foreign("+15551234567", "ABCDEFGH", 120_000);
  files.put(pairing, JSON.stringify({ version: 1, requests: [waits, early, foreign("9", "OLDOLD22", HOUR)] }));
  files.put(allowFrom, JSON.stringify({ version: 1, allowFrom: ["42", 43, "*", "@ada"], note: "mine" }));
  files.put(`${folder}/telegram-default-allowFrom.json`, JSON.stringify({ version: 1, allowFrom: ["44"] }));
  files.put(`${folder}/oauth.json`, "{}");
  assert.equal(
    (await senders.waiting()).map(({ sender, code, accountId, about }) => [sender, code, accountId, about]),
    [
      ["+15551234567", "ABCDEFGH", "default", {}],
      ["123456789", "QRSTUV23", "default", { username: "ada", firstName: "Ada" }],
    ],
  );
  assert.equal([...(await senders.allowed("telegram"))], ["42", "43", "44"]);
  await senders.approve("telegram", "default", "QRSTUV23");
  const approved = { version: 1, allowFrom: ["42", "43", "*", "@ada", "123456789"], note: "mine", ...at };
  assert.equal(await document(allowFrom), approved);
  assert.equal(await document(pairing), { version: 1, requests: [early] });
});

test("2.10 an account other than the default one has a list of its own, and sees no other", async () => {
  const { files, senders, code, document } = open();
  files.put(allowFrom, JSON.stringify({ version: 1, allowFrom: ["42"] }));
  await senders.approve("telegram", "Work", await code("123", { accountId: "work" }));
  assert.equal([...(await senders.allowed("telegram", "work"))], ["123"]);
  assert.equal([...(await senders.allowed("telegram"))], ["42"]);
  const own = { version: 1, channel: "telegram", accountId: "work", allowFrom: ["123"] };
  assert.equal(await document(`${folder}/telegram-work-allowFrom.json`), own);
});

test("threat E who is taken out of the file by hand is a stranger at once", async () => {
  const { files, senders, code } = open();
  await senders.approve("telegram", "default", await code("123"));
  files.put(allowFrom, JSON.stringify({ version: 1, allowFrom: [] }));
  assert.is((await senders.allowed("telegram")).has("123"), false);
});

test("threat D a code counts once, whoever is faster", async () => {
  const { senders, code } = open();
  const given = await code("123");
  const both = [senders.approve("telegram", "default", given), senders.dismiss("telegram", "default", given)];
  const outcomes = await Promise.allSettled([...both, senders.approve("telegram", "default", given)]);
  assert.equal(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "rejected"],
  );
  assert.equal([...(await senders.allowed("telegram"))], ["123"]);
});

test("threat D a code lets in the one who was told it, where he was told it", async () => {
  const { senders, code } = open();
  const [mine, other] = [await code("123"), await code("456")];
  for (const [channel, accountId] of [
    ["signal", "default"],
    ["telegram", "work"],
  ] as const)
    assert.match(await refusal(senders.approve(channel, accountId, mine)), "nobody who waits");
  for (const wrong of ["", mine.slice(0, 7), `${mine}A`, "*"])
    assert.match(await refusal(senders.approve("telegram", "default", wrong)), "nobody who waits");
  assert.is((await senders.approve("telegram", "default", other)).sender, "456");
  assert.equal([...(await senders.allowed("telegram"))], ["456"]);
});

test("threat D strangers who ask at once get no more places than there are", async () => {
  const { senders } = open();
  const asked = await Promise.all(["1", "2", "3", "4", "5", "1"].map((sender) => senders.ask({ ...at, sender })));
  assert.equal(
    asked.map(({ outcome }) => outcome),
    ["waits", "waits", "waits", "full", "full", "waits"],
  );
  assert.is((await senders.waiting()).length, 3);
});

test("threat D a gateway that is killed while it approves leaves no code that counts beside one let in", async () => {
  for (let operation = 1; ; operation++) {
    const { clock, files, senders, code } = open();
    const given = await code("123");
    files.crashAfter(operation);
    const said = await refusal(senders.approve("telegram", "default", given));
    files.recover();
    const next = open(clock, files);
    const [waits, isIn] = [(await next.senders.waiting()).length, (await next.senders.allowed("telegram")).has("123")];
    assert.ok(waits === 0 || !isIn, `operation ${operation}`);
    assert.equal(next.logged, []);
    if (said !== "nothing was refused") continue;
    assert.equal([waits, isIn], [0, true]);
    assert.ok(operation > 2);
    break;
  }
});

test("a request that was acknowledged outlives a kill at any moment of the next", async () => {
  for (let operation = 1; operation < 6; operation++) {
    const { clock, files, senders, code } = open();
    const given = await code("123");
    files.crashAfter(operation);
    await refusal(senders.ask({ ...at, sender: "456" }));
    files.recover();
    assert.is((await open(clock, files).senders.waiting())[0]?.code, given);
  }
});

test("a clock that is set back brings no old code to life, and keeps none for ever", async () => {
  const { clock, senders, code } = open();
  await code("123");
  clock.jump(-2 * HOUR);
  assert.equal(await senders.waiting(), []);
});

test("another program's change in the same moment is not overwritten", async () => {
  const { files, senders, code, document } = open();
  await code("123");
  const theirs = { version: 1, requests: [foreign("9", "ABCDEFGH")] };
  let reads = 0;
  files.before = (operation, path) => {
    if (operation === "read" && path === pairing && ++reads === 2) files.put(pairing, JSON.stringify(theirs));
  };
  assert.match(await refusal(senders.ask({ ...at, sender: "456" })), "was changed by another program");
  files.before = undefined;
  assert.equal(await document(pairing), theirs);
});

test("a damaged file lets nobody in, and is kept as it was before it is written", async () => {
  const noList = JSON.stringify({ version: 1, requests: {} });
  const later = JSON.stringify({ version: 2, requests: [foreign("9", "ABCDEFGH")] });
  for (const text of ["{ torn", "[]", noList, later, JSON.stringify({ requests: [{ id: "9" }] })]) {
    const { files, senders, code, logged } = open();
    files.put(pairing, text);
    files.put(allowFrom, "torn");
    assert.equal([await senders.waiting(), [...(await senders.allowed("telegram"))]], [[], []]);
    assert.equal(logged, []);
    await senders.approve("telegram", "default", await code("123"));
    assert.equal([...(await senders.allowed("telegram"))], ["123"]);
    const kept = Object.entries(files.snapshot()).filter(([path]) => path.includes(".json.damaged-"));
    assert.equal(kept.map(([, was]) => was).toSorted(), [text, "torn"].toSorted());
    assert.match(logged[0]?.message ?? "", "is damaged");
  }
});

test("a stranger who goes on writing costs a write a minute", async () => {
  const { clock, files, senders, code } = open();
  await code("123");
  const before = files.operations;
  for (let index = 0; index < 100; index++) await code("123");
  assert.is(files.operations, before);
  await clock.advance(60_000);
  await code("123");
  assert.is((await senders.waiting())[0]?.lastSeenAtMs, clock.now());
});

test("what a stranger says of himself is cut", async () => {
  const { senders, code } = open();
  const about = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, "x".repeat(10_000)]));
  await code("123", { about });
  const said = (await senders.waiting())[0]?.about ?? {};
  assert.ok(JSON.stringify(said).length < 3000);
});

test("threat S the files are 0600 and their folder 0700", async () => {
  const { files, senders, code } = open();
  await senders.approve("telegram", "default", await code("123"));
  for (const [path, mode] of [
    [folder, 0o700],
    [pairing, 0o600],
    [allowFrom, 0o600],
  ] as const)
    assert.is((await files.stat(path))?.mode, mode);
});

const nobody = [
  "",
  " ",
  "*",
  "@ada",
  "group:1",
  "Channel:1",
  "room/1",
  "-100123456",
  "12@g.us",
  "a b",
  "a\u0000",
  "a\u202e",
];
for (const id of [...nobody, "x".repeat(257)])
  test(`threat L ${JSON.stringify(id.slice(0, 20))} is no person: neither asked for nor let in`, async () => {
    const { files, senders } = open();
    assert.match(await refusal(senders.ask({ ...at, sender: id })), "not a person's lasting id");
    files.put(pairing, JSON.stringify({ version: 1, requests: [foreign(id, "ABCDEFGH")] }));
    files.put(allowFrom, JSON.stringify({ version: 1, allowFrom: [id] }));
    assert.equal(await senders.waiting(), []);
    assert.match(await refusal(senders.approve("telegram", "default", "ABCDEFGH")), "not a person's lasting id");
    assert.is((await senders.allowed("telegram")).size, 0);
  });

test("threat L ids are compared whole, and a name that is let in lets in nobody", async () => {
  const { senders, code } = open();
  await senders.approve("telegram", "default", await code("15551234567", { about: { name: "99" } }));
  const allowed = await senders.allowed("telegram");
  for (const id of ["+15551234567", "1555123456", "5551234567", "user:15551234567", "99", ""])
    assert.is(allowed.has(id), false, id);
});

test("threat L a file whose name two accounts could have is its own account's only", async () => {
  const { senders } = open();
  const ask = async (channel: string, accountId: string, sender: string): Promise<string> => {
    const asked = await senders.ask({ channel, accountId, sender });
    return asked.outcome === "waits" ? asked.code : asked.outcome;
  };
  await senders.approve("a", "b-c", await ask("a", "b-c", "123"));
  assert.equal([...(await senders.allowed("a-b", "c"))], []);
  const code = await ask("a-b", "c", "456");
  assert.match(await refusal(senders.approve("a-b", "c", code)), "belongs to another channel or account");
  assert.is((await senders.waiting({ channel: "a-b" })).length, 1);
  assert.equal([...(await senders.allowed("a", "b-c"))], ["123"]);
});

const hostile = [
  "",
  "..",
  "../x",
  "a/b",
  "a\\b",
  "/etc",
  "C:x",
  "\\\\host\\x",
  "file:x",
  "a\u0000",
  "-a",
  "a.b",
  "é",
  "a".repeat(65),
];
for (const name of hostile)
  test(`threat M ${JSON.stringify(name.slice(0, 20))} names no file`, async () => {
    const { files, senders } = open();
    for (const [channel, accountId] of [
      [name, "default"],
      ["telegram", name],
    ] as const) {
      assert.match(await refusal(senders.ask({ channel, accountId, sender: "1" })), "is not the id of a");
      assert.match(await refusal(senders.allowed(channel, accountId)), "is not the id of a");
      assert.match(await refusal(senders.waiting({ channel, accountId })), "is not the id of a");
      assert.match(await refusal(senders.approve(channel, accountId, "ABCDEFGH")), "is not the id of a");
    }
    assert.equal(files.snapshot(), {});
  });

test("threat M files of other names are nobody's list", async () => {
  const { files, senders } = open();
  const text = JSON.stringify({ version: 1, requests: [foreign("1", "ABCDEFGH")] });
  for (const name of [
    "UP-pairing.json",
    "a.b-pairing.json",
    "-pairing.json",
    "telegram-pairing.json.bak",
    "x/y-pairing.json",
  ])
    files.put(`${folder}/${name}`, text);
  assert.equal(await senders.waiting(), []);
});

test.run();
