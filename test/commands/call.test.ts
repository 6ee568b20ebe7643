import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway, Refusal } from "../client/fake-gateway.ts";
import { home, run } from "./run.ts";

test("SC-198 gateway call prints a heading and the answer; with --json the answer alone", async () => {
  const dial = fakeGateway({ methods: { status: () => ({ up: true }) } }).dial;
  const human = await run(["gateway", "call", "status"], { files: home, dial });
  assert.equal([human.code, human.stdout], [0, 'Gateway call: status\n{\n  "up": true\n}\n']);
  const json = await run(["gateway", "call", "status", "--json"], { files: home, dial });
  assert.equal([json.code, json.stdout], [0, '{\n  "up": true\n}\n']);
});

test("SC-199 the parameters reach the method as they were written", async () => {
  const gateway = fakeGateway({ methods: { "logs.tail": () => ({ lines: [] }) } });
  const line = ["gateway", "call", "logs.tail", "--params", '{"sinceMs": 60000}'];
  assert.is((await run(line, { files: home, dial: gateway.dial })).code, 0);
  assert.equal(gateway.calls, [{ method: "logs.tail", params: { sinceMs: 60_000 } }]);
});

test("an unknown method fails on stderr with exit 1", async () => {
  const { code, stdout, stderr } = await run(["gateway", "call", "nope.method"], {
    files: home,
    dial: fakeGateway().dial,
  });
  assert.equal([code, stdout, stderr], [1, "", "Gateway call failed: Error: unknown method: nope.method\n"]);
});

test("parameters that are not JSON fail before anything is sent", async () => {
  const gateway = fakeGateway();
  const { code, stderr } = await run(["gateway", "call", "x", "--params", "{"], { files: home, dial: gateway.dial });
  assert.is(code, 1);
  assert.match(stderr, /^Gateway call failed: SyntaxError: --params is not JSON: /);
  assert.is(gateway.connections.length, 0);
});

test("SC-184 --expect-final waits for the final answer", async () => {
  const dial = fakeGateway({
    methods: {
      agent: (_, gateway) => {
        queueMicrotask(() => gateway.send({ type: "res", ok: true, payload: { status: "ok" } }));
        return { status: "accepted" };
      },
    },
  }).dial;
  const first = await run(["gateway", "call", "agent", "--json"], { files: home, dial });
  const final = await run(["gateway", "call", "agent", "--json", "--expect-final"], { files: home, dial });
  assert.equal([JSON.parse(first.stdout), JSON.parse(final.stdout)], [{ status: "accepted" }, { status: "ok" }]);
});

test("a call starts with the least scope and asks again with the one that the gateway says is missing", async () => {
  const details = { code: "MISSING_SCOPE", missingScope: "operator.admin", requiredScopes: ["operator.admin"] };
  const missing = new Refusal({ code: "FORBIDDEN", message: "missing scope: operator.admin", details });
  const gateway = fakeGateway({
    methods: {
      "config.set": () => (gateway.connections.length > 1 ? { ok: true } : missing),
    },
  });
  assert.is((await run(["gateway", "call", "config.set"], { files: home, dial: gateway.dial })).code, 0);
  assert.equal(
    gateway.connections.map(({ connect }) => connect?.["scopes"]),
    [["operator.read"], ["operator.read", "operator.admin"]],
  );
});

test("a scope that stays missing is told, not asked for for ever", async () => {
  const details = { code: "MISSING_SCOPE", missingScope: "operator.admin" };
  const missing = new Refusal({ code: "FORBIDDEN", message: "missing scope: operator.admin", details });
  const gateway = fakeGateway({ methods: { x: () => missing } });
  const { code, stderr } = await run(["gateway", "call", "x"], { files: home, dial: gateway.dial });
  assert.equal(
    [code, stderr, gateway.connections.length],
    [1, "Gateway call failed: Error: missing scope: operator.admin\n", 2],
  );
});

test("a gateway that is busy starting is a temporary failure: exit 75", async () => {
  const busy = new Refusal({ code: "UNAVAILABLE", message: "gateway starting; retry shortly", retryable: true });
  const { code } = await run(["gateway", "call", "x"], {
    files: home,
    dial: fakeGateway({ connect: () => busy }).dial,
  });
  assert.is(code, 75);
});

test.run();
