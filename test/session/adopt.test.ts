import { test } from "uvu";
import * as assert from "uvu/assert";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createStandbyLogs } from "../../src/store/standby.ts";
import { Failure } from "../../src/kit/error.ts";
import { assistant, fixture, said, user } from "./fixture.ts";

const sessionId = "11111111-2222-4333-8444-555555555555";
const of = { sessionId, agentId: "main" };
const path = `/state/agents/main/sessions/${sessionId}.jsonl`;
const key = "agent:main:main";

const header = { type: "session", version: 3, id: sessionId, timestamp: "2026-01-01T00:00:00.000Z", cwd: "/w" };
const message = (id: string, parentId: string | null | undefined, content: unknown, more: object = {}) => ({
  type: "message",
  id,
  parentId,
  timestamp: "2026-01-01T00:00:00.000Z",
  message: { role: "user", content, timestamp: 1 },
  ...more,
});
const put = (disk: ReturnType<typeof fixture>, records: readonly unknown[]) =>
  disk.files.put(
    path,
    records.map((record) => `${typeof record === "string" ? record : JSON.stringify(record)}\n`).join(""),
  );

test("another program's conversation is read and gone on with", async () => {
  const disk = fixture();
  put(disk, [
    header,
    { type: "model_change", id: "0000000a", parentId: null, timestamp: "x", provider: "mock", modelId: "m1" },
    message("0000000b", "0000000a", [{ type: "text", text: "question" }]),
    {
      ...message("0000000c", "0000000b", []),
      message: { role: "assistant", content: [{ type: "text", text: "answer" }], usage: { input: 3 } },
    },
  ]);
  const transcript = (await disk.open()).transcript(of);
  assert.equal(said(await transcript.page({ limit: 9 })), ["model_change", "question", "answer"]);
  assert.is(await transcript.count(), 2);
  assert.is((await transcript.find("0000000b"))?.seq, 2);
  const [, , answer] = await transcript.page({ limit: 9 });
  const usage = answer?.type === "message" && answer.message.role === "assistant" ? answer.message.usage : undefined;
  assert.equal([usage?.input, usage?.output, usage?.cost.total], [3, 0, 0]);
  const [next] = await transcript.append([user("next")]);
  assert.equal([next?.parentId, next?.seq], ["0000000c", 4]);
});

test("branches that the last entry does not lead back to are off the path", async () => {
  const disk = fixture();
  put(disk, [
    header,
    message("0000000a", null, "root"),
    message("0000000b", "0000000a", "left behind"),
    message("0000000c", "0000000b", "left behind too"),
    message("0000000d", "0000000a", "taken"),
    { type: "branch_summary", id: "0000000e", parentId: "0000000d", timestamp: "x", summary: "unknown to us" },
    message("0000000f", "0000000e", "end"),
  ]);
  const transcript = (await disk.open()).transcript(of);
  assert.equal(said(await transcript.page({ limit: 9 })), ["root", "taken", "end"]);
  assert.is(await transcript.count(), 3);
  assert.is(await transcript.find("0000000b"), undefined);
  assert.match((await disk.files.read(path)) ?? "", /left behind too/);
  assert.match((await disk.files.read(path)) ?? "", /unknown to us/);
});

test("what another program appends to our file is taken in when it is opened next", async () => {
  const disk = fixture();
  const sessions = await disk.open();
  const row = await sessions.ensure(key, { agentId: "main" });
  const [one] = await sessions.transcript(row).append([user("1"), user("gone")]);
  await sessions.transcript(row).rewind(one?.id);
  const [last] = await sessions.transcript(row).append([assistant("2")]);
  await sessions.close();
  const file = sessions.pathOf(row);
  disk.files.put(file, `${await disk.files.read(file)}${JSON.stringify(message("0000abcd", last?.id, "theirs"))}\n`);
  const transcript = (await disk.open()).transcript(row);
  assert.equal(said(await transcript.context()), ["1", "2", "theirs"]);
  await transcript.append([user("ours")]);
  assert.equal(said(await transcript.context()), ["1", "2", "theirs", "ours"]);
});

test("lines without parents follow each other; parents in a circle or out of nowhere end the path", async () => {
  for (const [records, expected] of [
    [
      [message("0000000a", undefined, "1"), message("0000000b", undefined, "2")],
      ["1", "2"],
    ],
    [
      [message("0000000a", "0000000b", "1"), message("0000000b", "0000000a", "2")],
      ["1", "2"],
    ],
    [[message("0000000a", "0000000a", "1")], ["1"]],
    [[message("0000000a", null, "1"), message("0000000b", "ffffffff", "2")], ["2"]],
    [
      [header, "not json", message("0000000a", null, "1"), '{"half":', message("0000000b", "0000000a", "2")],
      ["1", "2"],
    ],
    [[message("0000000a", null, "1"), { type: "message", id: 5, message: { role: "nobody" } }], ["1"]],
    [[message("0000000a", null, [null, 5, { type: "text" }, { type: "text", text: "kept" }])], ["kept"]],
  ] as const) {
    const disk = fixture();
    put(disk, records);
    const transcript = (await disk.open()).transcript(of);
    assert.equal(said(await transcript.page({ limit: 9 })), expected);
    await transcript.append([user("next")]);
    assert.equal(said(await transcript.context()), [...expected, "next"]);
  }
});

test("while another process owns the state its files are read as they are, and left so", async () => {
  const disk = fixture();
  put(disk, [header, message("0000000a", null, "1")]);
  const before = await disk.files.read(path);
  const logs = createStandbyLogs(createFolderLogs(disk.files, "/state"), () => ({ pid: 7 }));
  const transcript = (await disk.open({ logs })).transcript(of);
  assert.equal(said(await transcript.context()), ["1"]);
  const refused = await transcript.append([user("x")]).catch((error: unknown) => error);
  assert.is(Failure.from(refused).code, "unavailable");
  assert.is(await disk.files.read(path), before);
});

test("sessions of the reference are taken over once, its own files stay", async () => {
  const disk = fixture();
  put(disk, [header, message("0000000a", null, "hello")]);
  const theirs = "/state/agents/main/sessions/sessions.json";
  const text = JSON.stringify({
    [key]: {
      sessionId,
      updatedAt: 1_700_000_000_000,
      chatType: "direct",
      thinkingLevel: "high",
      inputTokens: 5,
      deliveryContext: { channel: "telegram", to: "1" },
      systemSent: true,
      sendPolicy: "nonsense",
    },
    "agent:main:telegram:group:5:topic:7": {
      sessionId: "abc",
      updatedAt: 2,
      chatType: "room",
      sessionFile: "/elsewhere/abc-topic-7.jsonl",
    },
    "agent:main:bad": { sessionId: "../../../etc/passwd", updatedAt: 1 },
    "agent:main:worse": { sessionId: 5 },
    "agent:main:no": null,
  });
  disk.files.put(theirs, text);
  const sessions = await disk.open();
  assert.is(sessions.size, 2);
  const row = sessions.get(key);
  assert.equal([row?.sessionId, row?.updatedAt, row?.thinkingLevel], [sessionId, 1_700_000_000_000, "high"]);
  assert.equal([row?.inputTokens, row?.sendPolicy, row?.systemSent], [5, undefined, true]);
  assert.equal(row?.delivery, { channel: "telegram", to: "1", accountId: undefined });
  const topic = sessions.get("agent:main:telegram:group:5:topic:7");
  assert.equal([topic?.sessionId, topic?.kind, topic?.chatType], ["abc-topic-7", "group", "channel"]);
  assert.equal(said(await sessions.transcript(of).context()), ["hello"]);
  assert.is(await disk.files.read(theirs), text);
  await sessions.delete(key);
  await sessions.close();
  assert.is((await disk.open()).size, 1);
});

test.run();
