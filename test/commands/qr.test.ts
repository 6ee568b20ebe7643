import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway } from "../client/fake-gateway.ts";
import { startOfTime } from "../support/fake-clock.ts";
import { home, run } from "./run.ts";

const made = {
  setupId: "s1",
  setupCode: "eyJ1cmwiOiJ3czovLzE5Mi4xNjguMS4yMDoxODc4OSJ9",
  gatewayUrl: "ws://192.168.1.20:18789",
  auth: "token",
  urlSource: "gateway.bind=lan",
  access: "full",
  expiresAtMs: startOfTime + 600_000,
};

async function qr(...args: readonly string[]) {
  const gateway = fakeGateway({ methods: { "device.pair.setupCode": () => made } });
  return { ...(await run(["qr", ...args], { files: home, dial: gateway.dial })), gateway };
}

test("qr draws the code with a quiet frame and says what it is", async () => {
  const { code, stdout, gateway } = await qr();
  assert.is(code, 0);
  const [drawing = "", facts = ""] = stdout.split("\n\n");
  const rows = drawing.split("\n");
  const size = rows[0]?.length ?? 0;
  assert.ok(rows.every((row) => /^[█▀▄ ]+$/.test(row) && row.length === size));
  assert.equal([rows.length, rows[0], rows[1]], [Math.ceil(size / 2), "█".repeat(size), "█".repeat(size)]);
  assert.ok(rows.slice(0, -1).every((row) => row.startsWith("████") && row.endsWith("████")));
  assert.is(rows.at(-1), "▀".repeat(size), "an odd number of rows ends with half a line");
  assert.match(facts, `Setup code:  ${made.setupCode}\n`);
  assert.match(facts, "Gateway:     ws://192.168.1.20:18789 (gateway.bind=lan)\n");
  assert.match(facts, "Lets in as:  a node, and an operator with all rights\n");
  assert.match(facts, "Valid for:   10m, once.");
  assert.equal(gateway.calls, [{ method: "device.pair.setupCode", params: { includeQr: false } }]);
  assert.equal(gateway.connections[0]?.connect?.["scopes"], ["operator.admin"]);
});

const lines: readonly (readonly [line: string, params: object])[] = [
  ["--url wss://a.example", { publicUrl: "wss://a.example" }],
  ["--public-url wss://a.example", { publicUrl: "wss://a.example" }],
  ["--remote", { preferRemoteUrl: true }],
  ["--limited", { bootstrapProfile: "limited" }],
  ["--node", { bootstrapProfile: "node" }],
];
for (const [line, params] of lines) {
  test(`qr ${line} asks for ${JSON.stringify(params)} at the profile's own gateway`, async () => {
    const { gateway } = await qr(...line.split(" "));
    assert.equal(gateway.calls[0]?.params, { ...params, includeQr: false });
    assert.match(gateway.connections[0]?.url ?? "", "127.0.0.1");
  });
}

test("qr --setup-code-only is the code and nothing else, --no-ascii leaves the drawing out, --json is the answer", async () => {
  assert.is((await qr("--setup-code-only")).stdout, `${made.setupCode}\n`);
  assert.match((await qr("--no-ascii")).stdout, /^Setup code: /);
  assert.equal(JSON.parse((await qr("--json")).stdout), made);
});

test("qr --limited --node is a mistake", async () => {
  const { code, stderr, gateway } = await qr("--limited", "--node");
  assert.equal([code, gateway.calls], [2, []]);
  assert.match(stderr, "--limited and --node exclude each other");
});

test("a code that could not be one is not drawn", async () => {
  const gateway = fakeGateway({ methods: { "device.pair.setupCode": () => ({ setupCode: "\u001b[2J" }) } });
  const { code, stdout } = await run(["qr"], { files: home, dial: gateway.dial });
  assert.equal([code, stdout], [1, ""]);
});

test.run();
