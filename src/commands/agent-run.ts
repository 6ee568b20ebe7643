import { newsOf, type RunNews } from "../cli/run-news.ts";
import { stringAt } from "../cli/pick.ts";
import { open, targetOf, widening, type ReachContext } from "../cli/reach.ts";
import type { Client } from "../client/client.ts";
import { deferred } from "../client/wait.ts";
import { Failure } from "../kit/error.ts";
import type { JsonObject } from "../kit/json.ts";

export interface AgentRequest {
  /** Of the method `agent`; the key names the run. */
  readonly params: JsonObject & { readonly idempotencyKey: string };
  /** How long to wait for the end of the run, in milliseconds. */
  readonly patienceMs: number;
  readonly hear: (news: RunNews) => void;
  /** The connection was lost and is sought again. */
  readonly lost: (reason: Failure) => void;
}

/**
 * Has an agent run and answers the method's final payload. A gateway that goes away meanwhile is waited for: what it
 * accepted it will answer, and the same key asks for the same run. `context.signal` has the gateway stop the run, whose
 * payload then says so.
 */
export async function runAgent(context: ReachContext, request: AgentRequest): Promise<unknown> {
  const target = await targetOf(context);
  const { idempotencyKey: runId } = request.params;
  const run: Run = { ...request, sessionKey: undefined };
  let left = tries;

  const attempt = async (scopes: readonly string[]): Promise<unknown> => {
    const onEvent = (event: string, payload: unknown): void => {
      const news = newsOf(event, payload);
      if (news?.runId === runId) request.hear(news);
    };
    const client = await open(context, target, { scopes, onEvent });
    left = tries;
    try {
      return await stoppable(client, run, context.signal);
    } finally {
      client.close();
    }
  };

  for (;;) {
    try {
      return await widening(["operator.read", "operator.write"], attempt);
    } catch (error) {
      const failure = Failure.from(error);
      if (run.sessionKey === undefined || !isLoss(failure) || context.signal.aborted) throw failure;
      if (left-- === 0) throw orphaned(failure, run.sessionKey, context.program);
      request.lost(failure);
      await context.host.clock.sleep(pauseMs, context.signal);
    }
  }
}

/** A gateway that restarts is back within seconds. */
const tries = 60;
const pauseMs = 1000;

interface Run extends AgentRequest {
  /** Known once the gateway has the message on its disk. */
  sessionKey: string | undefined;
}

/** The answer, on this connection. From acceptance on, the signal does not end the wait for it but the run itself. */
async function stoppable(client: Client, run: Run, signal: AbortSignal): Promise<unknown> {
  const refused = deferred<never>();
  const unstopped = new AbortController().signal;
  const stop = (): void => {
    if (run.sessionKey === undefined) return;
    const params = { sessionKey: run.sessionKey, runId: run.params.idempotencyKey };
    client.request("chat.abort", params, { signal: unstopped }).catch((error: unknown) => refused.reject(error));
  };
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([answerOf(client, run, { signal, unstopped, stop }), refused.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The final payload. A run that goes on since an earlier connection is waited for, then asked for again. */
async function answerOf(client: Client, run: Run, { signal, unstopped, stop }: Stopping): Promise<unknown> {
  const { params, patienceMs: timeoutMs } = run;
  const accept = (payload: unknown): void => {
    run.sessionKey = stringAt(payload, "sessionKey") ?? run.sessionKey;
    if (signal.aborted) stop();
  };
  const ask = () =>
    client.request("agent", params, { expectFinal: true, onAccepted: accept, timeoutMs, signal: unstopped });
  const answer = await ask();
  if (stringAt(answer, "status") !== "in_flight") return answer;
  accept(answer);
  await client.request("agent.wait", { runId: params.idempotencyKey, timeoutMs }, { timeoutMs, signal: unstopped });
  return ask();
}

interface Stopping {
  readonly signal: AbortSignal;
  readonly unstopped: AbortSignal;
  readonly stop: () => void;
}

/** The connection ended, or none came about, for a reason that may pass. */
function isLoss({ details, retryable }: Failure): boolean {
  return retryable && typeof details === "object" && details !== null && "closeCode" in details;
}

function orphaned(cause: Failure, sessionKey: string, program: string): Failure {
  return new Failure("unavailable", `${cause.message}; the message was accepted, and is answered when it is back`, {
    hints: [`See: ${program} sessions show ${sessionKey}`],
    cause,
  });
}
