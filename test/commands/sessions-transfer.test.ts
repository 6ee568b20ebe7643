import { test } from "uvu";
import * as assert from "uvu/assert";
import type { JsonObject } from "../../src/kit/json.ts";
import { main } from "../../src/main.ts";
import { fakeGateway, Refusal, type Answer } from "../client/fake-gateway.ts";
import { scriptedHost } from "../support/host.ts";
import { home, run } from "./run.ts";

const entry = (number: number): string => JSON.stringify({ type: "message", id: `${number}` });
const picture = JSON.stringify({ type: "media", name: "a".repeat(64), data: "AQID" });

/** What `sessions.export` answers over these lines, two at once: the first is the header. */
const exporting =
  (lines: readonly string[]): Answer =>
  ({ afterSeq = 0 }) => {
    const end = Number(afterSeq) + 2;
    return {
      key: "agent:main:main",
      sessionId: "s1",
      lines: lines.slice(Number(afterSeq), end),
      next: end < lines.length ? end : null,
      pictures: 0,
    };
  };

const asked = async (line: string, method: string, answer: Answer) => {
  const gateway = fakeGateway({ methods: { [method]: answer } });
  const ran = await run(line.split(" "), { files: home, dial: gateway.dial });
  return { ...ran, calls: gateway.calls, scopes: gateway.connections[0]?.connect?.["scopes"] };
};

test("sessions export writes every line once, page after page, as an admin", async () => {
  const lines = ["header", picture, entry(1), picture, entry(2)];
  const { code, stdout, stderr, calls, scopes } = await asked(
    "sessions export main",
    "sessions.export",
    exporting(lines),
  );
  assert.equal([code, stderr, scopes], [0, "", ["operator.admin"]]);
  assert.is(stdout, ["header", picture, entry(1), entry(2), ""].join("\n"));
  assert.equal(
    calls.map(({ params }) => params),
    [
      { key: "main" },
      { key: "main", afterSeq: 2, pictures: 0, sessionId: "s1" },
      { key: "main", afterSeq: 4, pictures: 0, sessionId: "s1" },
    ],
  );
});

test("sessions export ends where a gateway answers the same page for ever", async () => {
  const stuck: Answer = () => ({ sessionId: "s1", lines: [entry(1)], next: 5, pictures: 0 });
  const { code, stderr } = await asked("sessions export main", "sessions.export", stuck);
  assert.equal([code, stderr], [1, "the gateway does not get on behind entry 5 of main\n"]);
});

async function exported(files: Readonly<Record<string, string>>, answer: Answer, ...more: readonly string[]) {
  const dial = fakeGateway({ methods: { "sessions.export": answer } }).dial;
  const args = ["sessions", "export", "main", "--output", "out.jsonl", ...more];
  const host = scriptedHost({ name: "clawdbot", files: { ...home, ...files }, dial, args, cwd: "/home/me" });
  const code = await main(host);
  const left = Object.keys(host.files.snapshot()).filter((path) => path.startsWith("/home/me/out"));
  return {
    code,
    host,
    left,
    text: await host.files.read("/home/me/out.jsonl"),
    mode: (await host.files.stat("/home/me/out.jsonl"))?.mode,
  };
}

const two = exporting(["header", entry(1)]);

test("sessions export --output makes a file that is its owner's alone, and no other", async () => {
  const { code, text, mode, host, left } = await exported({}, two);
  assert.equal([code, mode, left], [0, 0o600, ["/home/me/out.jsonl"]]);
  assert.is(text, `header\n${entry(1)}\n`);
  assert.is(host.terminal.stdout.text, "✓ Wrote 2 lines to ~/out.jsonl.\n");
});

test("a file that exists is replaced with --force alone", async () => {
  const there = { "/home/me/out.jsonl": "mine" };
  const kept = await exported(there, two);
  assert.equal([kept.code, kept.text, kept.left], [1, "mine", ["/home/me/out.jsonl"]]);
  assert.is(kept.host.terminal.stderr.text, "/home/me/out.jsonl exists: give another name, or --force to replace it\n");
  const replaced = await exported(there, two, "--force");
  assert.equal([replaced.code, replaced.text?.split("\n").length, replaced.left], [0, 3, ["/home/me/out.jsonl"]]);
});

test("an export that fails half way leaves everything as it was", async () => {
  const failing: Answer = (params, gateway) =>
    params["afterSeq"] === undefined
      ? exporting(["header", entry(1), entry(2)])(params, gateway)
      : new Refusal({ code: "UNAVAILABLE", message: "the disk is slow" });
  const fresh = await exported({}, failing);
  assert.equal([fresh.code, fresh.left], [75, []]);
  const forced = await exported({ "/home/me/out.jsonl": "mine" }, failing, "--force");
  assert.equal([forced.code, forced.text, forced.left], [75, "mine", ["/home/me/out.jsonl"]]);
});

/** Runs an import of this text; `-` is standard input. */
async function imported(
  text: string,
  { name = "in.jsonl", answer = accepting }: { name?: string; answer?: Answer } = {},
) {
  const gateway = fakeGateway({ methods: { "sessions.import": answer } });
  const ran = await run(["sessions", "import", name, "--key", "copy", "--agent", "main"], {
    files: { ...home, "/home/me/in.jsonl": text },
    input: text,
    dial: gateway.dial,
    cwd: "/home/me",
  });
  return { ...ran, calls: gateway.calls.map(({ params }) => params as JsonObject), gateway };
}

const accepting: Answer = ({ done }) =>
  done === true ? { key: "agent:main:copy", sessionId: "s2", entries: 2 } : { uploadId: "u1" };

for (const name of ["in.jsonl", "-"]) {
  test(`sessions import ${name} sends the lines as they are, without their ends, as an admin`, async () => {
    const { code, stdout, stderr, calls, gateway } = await imported(`\uFEFF{"a":1}\r\n\n${entry(2)}`, { name });
    assert.equal([code, stdout, stderr], [0, "✓ Imported 2 entries into agent:main:copy.\n", ""]);
    assert.equal(calls, [{ key: "copy", agentId: "main", lines: ['{"a":1}', "", entry(2)], done: true }]);
    assert.equal(gateway.connections[0]?.connect?.["scopes"], ["operator.admin"]);
  });
}

test("a long conversation is sent in requests that a frame has room for", async () => {
  const long = JSON.stringify({ text: "ü".repeat(1_500_000) });
  const lines = [...Array.from({ length: 1001 }, (_, number) => entry(number)), long, long];
  const { code, calls } = await imported(lines.join("\n"));
  assert.is(code, 0);
  assert.equal(
    calls.map(({ uploadId, done, lines: part }) => [uploadId, done, Array.isArray(part) && part.length]),
    [
      [undefined, false, 1000],
      ["u1", false, 2],
      ["u1", true, 1],
    ],
  );
  assert.equal(
    calls.flatMap(({ lines: part }) => part),
    lines,
  );
});

test("what is wrong with a line names file and line: exit 1", async () => {
  const answer: Answer = () => new Refusal({ code: "INVALID_REQUEST", message: "line 2 is damaged: it is not JSON" });
  const { code, stdout, stderr } = await imported("{}\n{", { answer });
  assert.equal([code, stdout, stderr], [1, "", "in.jsonl: line 2 is damaged: it is not JSON\n"]);
  const long = await imported(`{}\n"${"x".repeat(27_000_000)}"\n{}`);
  assert.equal([long.code, long.stderr], [1, "in.jsonl: line 2 is too long to be sent: 27000007 bytes\n"]);
});

test("sessions import needs a key and a file that is there, and says which of them is missing", async () => {
  const gateway = fakeGateway();
  const ran = (line: string) => run(line.split(" "), { files: home, dial: gateway.dial, cwd: "/home/me" });
  const keyless = await ran("sessions import in.jsonl");
  assert.equal([keyless.code, keyless.stderr], [2, "name the session to be made, such as work, with --key\n"]);
  const missing = await ran("sessions import in.jsonl --key copy");
  assert.equal([missing.code, missing.stderr], [1, "cannot read in.jsonl: there is no such file\n"]);
  const folder = await ran("sessions import . --key copy");
  assert.match(folder.stderr, "cannot read .: it is no file");
  assert.is(gateway.connections.length, 0);
});

test.run();
