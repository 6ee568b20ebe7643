import * as v from "valibot";
import type { SpokenChild } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import { stopped } from "../kit/stream.ts";
import type { ChannelContext } from "./channel.ts";
import type { ImessageSettings } from "./imessage-settings.ts";

/** `imsg rpc` at work: JSON-RPC 2.0, a line each. */
export interface ImessageProgram {
  /** Rejects when it has ended. */
  readonly ended: Promise<never>;
  /** Rejects as `Channel.send` does. */
  call(method: string, params: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown>;
  stop(): void;
}

/** A message is handed to Messages by a script, which waits for it. */
const ANSWER_MS = 60_000;

/** Starts it; `told` hears what it tells without being asked. */
export function startImessage(
  { processes, clock }: Pick<ChannelContext, "processes" | "clock">,
  { cliPath, dbPath }: ImessageSettings,
  told: (method: string, params: unknown) => void,
): ImessageProgram {
  if (!processes?.converse)
    throw new Failure(
      "config",
      "iMessage needs a program to be started, which is not possible where this gateway runs",
    );
  const waiting = new Map<string, (answer: Answer | Failure) => void>();
  let ids = 0;

  function hear(line: string): void {
    const read = v.safeParse(lineShape, parseJson(line));
    // It may print words of its own.
    if (!read.success) return;
    const { id, method, params } = read.output;
    if (method !== undefined) told(method, params);
    else waiting.get(String(id))?.(read.output);
  }

  const child: SpokenChild = processes.converse(
    cliPath,
    ["rpc", ...(dbPath === undefined ? [] : ["--db", dbPath])],
    hear,
  );
  const ended = child.exited.then(({ code, signal }) => {
    const words = child.stderr.replaceAll(/\s+/g, " ").trim().slice(-300);
    const failure =
      code === 127
        ? new Failure("config", `there is no program ${cliPath}: install imsg on a Mac, or set cliPath`)
        : new Failure("unavailable", `imsg ended with ${signal ?? code}${words === "" ? "" : `: ${words}`}`);
    for (const answer of waiting.values()) answer(failure);
    throw failure;
  });
  // Who awaits it hears of it; nobody has to.
  ended.catch(() => undefined);

  return {
    ended,
    call: (method, params, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(stopped(signal));
        const id = String(++ids);
        const leave = (): void => waiting.get(id)?.(stopped(signal));
        const disarm = clock.after(ANSWER_MS, () =>
          waiting.get(id)?.(
            new Failure("timeout", `imsg has not answered ${method} within ${ANSWER_MS / 1000} seconds`),
          ),
        );
        signal.addEventListener("abort", leave, { once: true });
        waiting.set(id, (answer) => {
          waiting.delete(id);
          disarm();
          signal.removeEventListener("abort", leave);
          if (answer instanceof Failure) reject(method === "send" ? inDoubt(answer) : answer);
          else if (answer.error) reject(failureOf(answer.error));
          else resolve(answer.result);
        });
        child.say(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      }),
    stop: () => child.kill("SIGTERM"),
  };
}

/** A message that was on its way when the program ended may have been sent. */
function inDoubt(failure: Failure): Failure {
  if (failure.code !== "unavailable") return failure;
  return new Failure("timeout", "imsg ended before it said whether the message was sent", { cause: failure });
}

const lineShape = v.looseObject({
  id: v.nullish(v.union([v.string(), v.number()])),
  method: v.optional(v.string()),
  params: v.optional(v.unknown()),
  result: v.optional(v.unknown()),
  error: v.nullish(
    v.looseObject({ code: v.nullish(v.number()), message: v.nullish(v.string()), data: v.nullish(v.unknown()) }),
  ),
});

type Answer = v.InferOutput<typeof lineShape>;

/** -32602 is a request that can never work; anything else broke on the way to Messages. */
function failureOf({ code, message, data }: NonNullable<Answer["error"]>): Failure {
  const words = [message, data]
    .filter((one) => typeof one === "string")
    .join(": ")
    .slice(0, 300);
  return new Failure(code === -32602 ? "invalid-request" : "failed", `imsg: ${words}`);
}
