import { test } from "uvu";
import * as assert from "uvu/assert";
import type { JsonObject } from "../../src/kit/json.ts";
import { fakeGateway, Refusal, type Answer } from "../client/fake-gateway.ts";
import { startOfTime } from "../support/fake-clock.ts";
import { home, run } from "./run.ts";

const rows = [
  {
    key: "agent:main:main",
    kind: "direct",
    updatedAt: startOfTime - 60_000,
    sessionId: "s1",
    abortedLastRun: false,
    inputTokens: 1200,
    outputTokens: 34,
    totalTokens: 50_000,
    modelProvider: "mock",
    model: "m1",
    contextTokens: 200_000,
    thinkingLevel: "high",
    hasActiveRun: true,
    label: "not for scripts",
  },
  { key: "agent:main:wo\u001b[31mrk", kind: "direct", updatedAt: startOfTime - 7_200_000, abortedLastRun: true },
];
const list = { "sessions.list": () => ({ path: "/s/index.jsonl", count: 2, totalCount: 3, sessions: rows }) };

const asked = (
  methods: Readonly<Record<string, Answer>>,
  line: string,
  input: { readonly interactive?: boolean } = {},
) => {
  const gateway = fakeGateway({ methods });
  return run(line.split(" "), { files: home, dial: gateway.dial, ...input }).then((ran) => ({ ...ran, gateway }));
};

for (const line of ["sessions", "sessions list"]) {
  test(`${line} is a table, newest first, and says when there is more`, async () => {
    const { code, stdout, stderr, gateway } = await asked(list, line);
    assert.is(
      stdout,
      [
        "Key                   Age     Model    Tokens          Flags",
        "agent:main:main       1m ago  mock/m1  50k/200k (25%)  running think:high",
        "agent:main:wo?[31mrk  2h ago  -        -               aborted",
        "",
      ].join("\n"),
    );
    assert.equal([code, stderr], [0, "1 more: raise --limit\n"]);
    assert.equal(gateway.calls, [{ method: "sessions.list", params: { limit: 100 } }]);
    assert.equal(gateway.connections[0]?.connect?.["scopes"], ["operator.read"]);
  });
}

test("sessions --json has the fields that scripts know, and asks for what the options name", async () => {
  const { stdout, gateway } = await asked(list, "sessions --json --active 90 --agent main --search cake --limit 2");
  assert.equal(JSON.parse(stdout), {
    path: "/s/index.jsonl",
    count: 2,
    activeMinutes: 90,
    sessions: [
      {
        key: "agent:main:main",
        kind: "direct",
        updatedAt: startOfTime - 60_000,
        ageMs: 60_000,
        sessionId: "s1",
        abortedLastRun: false,
        inputTokens: 1200,
        outputTokens: 34,
        totalTokens: 50_000,
        model: "m1",
        contextTokens: 200_000,
      },
      {
        key: "agent:main:wo\u001b[31mrk",
        kind: "direct",
        updatedAt: startOfTime - 7_200_000,
        ageMs: 7_200_000,
        abortedLastRun: true,
        inputTokens: null,
        outputTokens: null,
        totalTokens: null,
        model: null,
        contextTokens: null,
      },
    ],
  });
  const params = { activeMinutes: 90, agentId: "main", search: "cake", limit: 2 };
  assert.equal(gateway.calls, [{ method: "sessions.list", params }]);
});

/** What `chat.history` answers over these messages. */
function history(messages: readonly JsonObject[]): Answer {
  return ({ limit, offset }) => {
    const end = messages.length - Number(offset ?? 0);
    const page = messages.slice(Math.max(0, end - Number(limit)), end);
    return { sessionId: "s1", messages: page, totalMessages: messages.length, sessionInfo: rows[0] };
  };
}

const said = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ role: at % 2 ? "assistant" : "user", content: `message ${at + 1}` }));

test("sessions show tells how a session is and what was said last", async () => {
  const { stdout } = await asked({ "chat.history": history(said(3)) }, "sessions show main --limit 2");
  assert.is(
    stdout,
    [
      "agent:main:main · 1m ago · mock/m1 · 50k/200k (25%) · running think:high",
      "… 1 earlier",
      "",
      "assistant:",
      "message 2",
      "",
      "user:",
      "message 3",
      "",
    ].join("\n"),
  );
});

test("sessions search shows where words were found", async () => {
  const results = [
    { sessionKey: "agent:main:main", timestamp: startOfTime, role: "user", snippet: "a birthday\ncake" },
  ];
  const { stdout } = await asked({ "sessions.search": () => ({ results }) }, "sessions search cake");
  assert.is(stdout, "Session          Age  Role  Text\nagent:main:main  now  user  a birthday cake\n");
  const { stdout: nothing } = await asked({ "sessions.search": () => ({ results: [] }) }, "sessions search cake");
  assert.is(nothing, 'Nothing found for "cake".\n');
});

test("sessions reset, compact and delete change one session, as an admin", async () => {
  const methods: Readonly<Record<string, Answer>> = {
    "sessions.describe": () => ({ session: rows[0] }),
    "sessions.reset": ({ key }) => ({ ok: true, key }),
    "sessions.compact": ({ key }) => ({ ok: true, key, compacted: true, tokensBefore: 90_000, tokensAfter: 4100 }),
    "sessions.delete": ({ key }) => ({ ok: true, key, deleted: true, archived: [] }),
  };
  for (const [line, output] of [
    ["sessions reset work", "✓ Reset work.\n"],
    ["sessions compact work", "✓ Compacted work: 90k → 4.1k tokens.\n"],
    ["sessions delete work --yes", "✓ Deleted work.\n"],
  ] as const) {
    const { code, stdout, gateway } = await asked(methods, line);
    assert.equal([code, stdout], [0, output]);
    assert.equal(gateway.calls.at(-1), { method: `sessions.${line.split(" ")[1]}`, params: { key: "work" } });
    assert.equal(gateway.connections.at(-1)?.connect?.["scopes"], ["operator.admin"]);
  }
});

test("a session that is not there is said, and none is made by a slip of the key", async () => {
  const missing: Readonly<Record<string, Answer>> = {
    "sessions.describe": () => ({ session: null }),
    "sessions.compact": () => new Refusal({ code: "INVALID_REQUEST", message: "No session found: wrok" }),
    "sessions.delete": () => ({ ok: true, key: "wrok", deleted: false, archived: [] }),
    "chat.history": () => ({ messages: [], totalMessages: 0 }),
    "sessions.export": () => new Refusal({ code: "INVALID_REQUEST", message: "No session found: agent:main:wrok" }),
  };
  for (const line of ["show wrok", "reset wrok", "compact wrok", "delete wrok --yes", "export wrok"]) {
    const { code, stdout, stderr, gateway } = await asked(missing, `sessions ${line}`);
    assert.equal([line, code, stdout, stderr], [line, 1, "", "No session found: wrok\nSee: clawdbot sessions\n"]);
    assert.not.ok(gateway.calls.some(({ method }) => method === "sessions.reset"));
  }
});

test("sessions delete without a terminal needs --yes: exit 2, nothing asked", async () => {
  const { code, stderr, gateway } = await asked({}, "sessions delete work");
  assert.equal([code, stderr, gateway.calls], [2, "deleting work needs --yes where nobody can be asked\n", []]);
});

test.run();
