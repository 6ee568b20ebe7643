import { Ajv } from "ajv";
import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import type { App, Connection } from "../../src/app.ts";
import { createDedupe } from "../../src/gateway/dedupe.ts";
import { createDispatcher } from "../../src/gateway/dispatch.ts";
import { flavours } from "../../src/host/flavour.ts";
import { createLogger } from "../../src/kit/log.ts";
import type { Method } from "../../src/methods/method.ts";
import { loadNodes } from "../../src/nodes/nodes.ts";
import type { Caller } from "../../src/protocol/caller.ts";
import { admin, openBench } from "./pairing.ts";

/** What a method answers, to be looked into by a test; the message when it was refused. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Answer = any;

/** Devices and nodes behind the dispatcher, so that roles, scopes and parameters are checked as for a real caller. */
export async function openDoor(methods: readonly Method[], more: Partial<App> = {}) {
  const bench = await openBench();
  const nodes = await loadNodes(
    bench.store,
    bench.devices,
    bench.clock,
    createLogger(() => bench.clock.now(), []),
  );
  const online: Caller[] = [];
  const sent: { readonly event: string; readonly payload: unknown }[] = [];
  const app: Partial<App> = {
    ...more,
    devices: bench.devices,
    nodes,
    clock: bench.clock,
    flavour: flavours.openclaw,
    connections: {
      all: () => online.map(connectionOf),
      close: () => undefined,
      count: () => online.length,
    },
    broadcast: (event, payload) => void sent.push({ event, payload }),
  };
  // The methods under test use nothing else of the gateway.
  const dispatcher = createDispatcher(app as App, methods, createDedupe(bench.clock));
  const ask = async (method: string, params: object = {}, by: Caller = admin): Promise<Answer> => {
    try {
      const run = { signal: new AbortController().signal, accept: () => undefined };
      const request = { kind: "request" as const, id: "1", method, params };
      return JSON.parse(await dispatcher.run(request, connectionOf(by), run));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  return { ...bench, nodes, online, sent, ask };
}

/** Asserts that a value is what the published protocol schema says. */
export function validates(definition: string, value: unknown): void {
  const ajv = new Ajv({ strict: false });
  const check = ajv.compile({ $ref: `#/definitions/${definition}`, definitions: published().definitions });
  assert.ok(check(value), `${definition}: ${ajv.errorsText(check.errors)}`);
}

function published(): { readonly definitions: Record<string, unknown> } {
  return JSON.parse(readFileSync("node_modules/@openclaw/gateway-protocol/protocol.schema.json", "utf8"));
}

function connectionOf(caller: Caller): Connection {
  return {
    caller,
    connectedAt: 0,
    subscriptions: new Set(),
    push: () => undefined,
    close: () => undefined,
  };
}
