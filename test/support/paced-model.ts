import { createServer, type ServerResponse } from "node:http";

/** A model server of the test: every answer begins at once, and ends when the test says. */
export interface PacedModel {
  /** What a gateway needs in its configuration to ask it. */
  readonly config: { readonly models: object; readonly agents: object };
  /** Requests that were ever made. */
  readonly asked: number;
  /** Ends the answers that have begun; those to come end by themselves. */
  finish(): void;
  close(): void;
}

/** Serves Chat Completions on a free port. Answers say `begun`, and after `finish` (at once with `waits: false`) `done`. */
export async function servePacedModel({ waits }: { waits: boolean }): Promise<PacedModel> {
  const begun = new Set<ServerResponse>();
  let asked = 0;
  let waiting = waits;
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      asked++;
      response.writeHead(200, { "content-type": "text/event-stream" });
      say(response, { role: "assistant", content: "begun" });
      if (waiting) begun.add(response);
      else end(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the model server has no address");
  const double = {
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    apiKey: "not-a-secret",
    api: "openai-completions",
    models: [{ id: "m1", name: "m1", contextWindow: 1_000_000, maxTokens: 4096, reasoning: false }],
  };
  return {
    config: {
      models: { providers: { double } },
      agents: { defaults: { model: { primary: "double/m1" }, skipBootstrap: true, maxConcurrent: 8 } },
    },
    get asked() {
      return asked;
    },
    finish() {
      waiting = false;
      for (const response of begun) end(response);
      begun.clear();
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function end(response: ServerResponse): void {
  say(response, { content: " done" });
  say(response, {}, "stop");
  response.end("data: [DONE]\n\n");
}

function say(response: ServerResponse, delta: object, finish: string | null = null): void {
  const choice = { index: 0, delta, finish_reason: finish };
  const chunk = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m1", choices: [choice] };
  response.write(`data: ${JSON.stringify(chunk)}\n\n`);
}
