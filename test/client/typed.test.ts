import { test } from "uvu";
import * as assert from "uvu/assert";
import { connect, type Client } from "../../src/client/client.ts";
import { scriptedHost } from "../support/host.ts";
import { fakeGateway } from "./fake-gateway.ts";

/** Checked by the compiler, which refuses this file when a line that must be an error is none. */
const typed = {
  known: (client: Client) => client.call("logs.tail", { limit: 5 }),
  // @ts-expect-error no such method
  unknown: (client: Client) => client.call("no.such", {}),
  // @ts-expect-error a limit is a number
  wrong: (client: Client) => client.call("logs.tail", { limit: "5" }),
};

test("a call is typed by the table of methods and sent as it is", async () => {
  const gateway = fakeGateway({ methods: { "logs.tail": () => ({ file: "", cursor: 0, size: 0, lines: [] }) } });
  const client = await connect(scriptedHost({ dial: gateway.dial }), {
    url: "ws://127.0.0.1:18789",
    client: { id: "cli", mode: "cli" },
    scopes: ["operator.read"],
    timeoutMs: 1000,
  });
  assert.equal((await typed.known(client)).lines, []);
  assert.equal(gateway.calls, [{ method: "logs.tail", params: { limit: 5 } }]);
});

test.run();
