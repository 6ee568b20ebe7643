import * as v from "valibot";
import { type Code, Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import type { ChannelContext } from "./channel.ts";
import { ask } from "./channel-request.ts";

/** Asks signal-cli to do something for our account (its JSON-RPC over HTTP). Rejects as `Channel.send` does. */
export interface SignalRpc {
  (method: string, params: Readonly<Record<string, unknown>>, options: RpcOptions): Promise<unknown>;
}

export interface RpcOptions {
  readonly signal: AbortSignal;
  readonly maxBytes?: number | undefined;
}

/** It has to reach Signal's servers, with files on the way. */
const TIMEOUT_MS = 90_000;

export function signalRpc(
  context: Pick<ChannelContext, "fetch" | "clock">,
  { base, account }: { readonly base: string; readonly account: string },
): SignalRpc {
  return async (method, params, { signal, maxBytes }) => {
    const id = uuid();
    const answer = await ask(context, {
      label: "signal-cli",
      url: new URL("api/v1/rpc", base),
      json: { jsonrpc: "2.0", id, method, params: { account, ...params } },
      timeoutMs: TIMEOUT_MS,
      signal,
      ...(maxBytes === undefined ? {} : { maxBytes }),
    });
    const read = v.safeParse(answerShape, answer);
    if (!read.success || read.output.id !== id)
      throw new Failure("timeout", `signal-cli gave an answer to ${method} that cannot be read`);
    const { error, result } = read.output;
    if (error) throw new Failure(codes[error.code] ?? "invalid-request", `signal-cli: ${clip(error.message, account)}`);
    return result;
  };
}

const answerShape = v.looseObject({
  id: v.string(),
  result: v.optional(v.unknown()),
  error: v.nullish(v.looseObject({ code: v.number(), message: v.string() })),
});

/** signal-cli-jsonrpc(5): what is wrong with a request is anything else. */
const codes: Readonly<Record<number, Code>> = {
  [-3]: "timeout", // it could not talk to Signal, or not to the end
  [-4]: "forbidden", // the safety number of whoever is written to has changed
  [-5]: "rate-limited",
  [-32603]: "timeout",
};

/** In one line, without our number. */
function clip(text: string, account: string): string {
  return text.replaceAll(account, "(our number)").replaceAll(/\s+/g, " ").trim().slice(0, 300);
}
