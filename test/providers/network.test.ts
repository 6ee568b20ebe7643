import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { anthropic } from "../../src/providers/anthropic.ts";
import type { ProviderCall } from "../../src/providers/provider.ts";
import { providerFailureOf } from "../../src/providers/provider-failure.ts";
import { anthropicDouble, claude, scripts } from "../support/vendors/anthropic.ts";
import { ask, callOf, collect, failureOf, requestOf } from "../support/vendors/double.ts";

/** Runs `work` against a real server that answers with `serve`; resolves when the server is gone. */
async function withServer(
  serve: (response: ServerResponse, path: string) => void,
  work: (call: ProviderCall) => Promise<void>,
): Promise<void> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => serve(response, request.url ?? ""));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const call = callOf(anthropicDouble({ script: scripts.text }), { baseUrl: `http://127.0.0.1:${port}` });
  try {
    await work({ ...call, fetch: globalThis.fetch });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const head = { "content-type": "text/event-stream" };

test("reads a stream from a real socket", async () => {
  await withServer(
    (response) => response.writeHead(200, head).end(scripts.tools.body),
    async (call) => {
      const message = await ask(anthropic, requestOf(claude), call);
      assert.is(message.stopReason, "toolUse");
    },
  );
});

test("threat A: a real redirect is not followed", async () => {
  const paths: string[] = [];
  await withServer(
    (response, path) => {
      paths.push(path);
      response.writeHead(302, { location: "/elsewhere" }).end();
    },
    async (call) => {
      const { kind } = await failureOf(anthropic, requestOf(claude), call);
      assert.is(kind, "format");
      assert.equal(paths, ["/v1/messages"]);
    },
  );
});

test("a real connection that breaks is a network failure", async () => {
  await withServer(
    (response) => {
      response.writeHead(200, head).write(scripts.early.body, () => response.destroy());
    },
    async (call) => assert.is((await failureOf(anthropic, requestOf(claude), call)).kind, "network"),
  );
});

test("a port where nobody listens is a network failure that names it", async () => {
  let address = "";
  await withServer(
    () => undefined,
    async ({ endpoint }) => void (address = endpoint.baseUrl),
  );
  const call = { ...callOf(anthropicDouble({ script: scripts.text }), { baseUrl: address }), fetch: globalThis.fetch };
  const { kind, failure } = await failureOf(anthropic, requestOf(claude), call);
  assert.is(kind, "network");
  assert.ok(failure.message.includes(address));
});

test("an abort closes the socket at once, before the answer and within it", async () => {
  for (const begins of [false, true]) {
    let closed: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => void (closed = resolve));
    const abort = new AbortController();
    await withServer(
      (response) => {
        response.on("close", () => closed?.());
        if (begins) response.writeHead(200, head).write(scripts.early.body);
        else abort.abort();
      },
      async (call) => {
        const events = anthropic.stream(requestOf(claude), { ...call, signal: abort.signal });
        const run = async (): Promise<void> => {
          for await (const event of events) if (event.type === "text") abort.abort();
        };
        const failure = await run().catch((error: unknown) => error);
        assert.is((failure as { code?: string }).code, "aborted");
        assert.is(providerFailureOf(failure), undefined);
        await gone;
      },
    );
  }
});

test("whoever stops reading closes the socket", async () => {
  let closed: (() => void) | undefined;
  const gone = new Promise<void>((resolve) => void (closed = resolve));
  await withServer(
    (response) => {
      response.on("close", () => closed?.());
      response.writeHead(200, head).write(scripts.early.body);
    },
    async (call) => {
      for await (const event of anthropic.stream(requestOf(claude), call)) {
        assert.is(event.type, "text");
        break;
      }
      await gone;
    },
  );
});

test("an answer is over with its last event, whether or not the server hangs up", async () => {
  await withServer(
    (response) => void response.writeHead(200, head).write(scripts.text.body),
    async (call) => assert.is((await collect(anthropic.stream(requestOf(claude), call))).at(-1)?.type, "done"),
  );
});

test.run();
