import * as v from "valibot";
import { createBackoff } from "../kit/backoff.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import type { ChannelContext, Inbound, Webhook } from "./channel.ts";
import { pause } from "./channel-connection.ts";

/** How an account hears what its network posts. `P` is what the proof of a request says beside being good. */
export interface Hearing<P> {
  readonly path: string;
  /** Largest body in bytes; 1 MB unless given. */
  readonly maxBody?: number;
  /** Undefined refuses the request. Where the headers are the proof, `body` is not asked for before they are good. */
  prove(request: Request, body: () => Promise<Uint8Array<ArrayBuffer>>): Promise<P | undefined>;
  /** The messages of a body, in order. Throws `invalid-request` when no sense can be made of the whole of it. */
  read(body: string, proof: P): readonly Inbound[] | Promise<readonly Inbound[]>;
  /** Answers a GET, where the network asks whether we are there. */
  greet?(request: Request): Promise<Response>;
  /** The network brings again what was not answered so; of others, what cannot be taken in yet is kept while we run. */
  readonly bringsAgain?: true;
  /** The status that the network wants to see when everything was taken in; 200 unless given. */
  readonly taken?: 200 | 204;
}

const MAX_BODY = 1024 * 1024;
const COMPLAIN_EVERY_MS = 60_000;
/** Characters of bodies that wait to be taken in; what goes beyond is left to its network. */
const ROOM = 4 * 1024 * 1024;
/** What even the shortest takes up: no more than a hundred wait. */
const LEAST = Math.floor(ROOM / 100);
const FIRST_MS = 1000;
const MAX_MS = 30_000;

/** A webhook that proves, then reads, then takes in, and says 200 only after that. */
export function webhook<P>(
  context: Pick<ChannelContext, "log" | "receive" | "signal" | "clock" | "random">,
  hearing: Hearing<P>,
): Webhook {
  const { log, signal, clock } = context;
  const { path, maxBody = MAX_BODY, taken = 200 } = hearing;
  let silentUntil = 0;
  let waiting = 0;

  /** Resolves when all of it was taken in; with false when it does not come from the network. */
  async function take(request: Request): Promise<boolean> {
    let reading: Promise<Uint8Array<ArrayBuffer>> | undefined;
    const bytes = (): Promise<Uint8Array<ArrayBuffer>> => (reading ??= bodyOf(request, maxBody));
    const proof = await hearing.prove(request, bytes);
    if (proof === undefined) return false;
    const body = new TextDecoder().decode(await bytes());
    try {
      await takeAll(body, proof);
    } catch (error) {
      if (!hearing.bringsAgain && statusOf(error) === LATER) keep(body, proof);
      throw error;
    }
    return true;
  }

  async function takeAll(body: string, proof: P): Promise<void> {
    for (const message of await hearing.read(body, proof))
      await context.receive(message).catch((error: unknown) => {
        throw new Failure("unavailable", "a message could not be taken in", { cause: error });
      });
  }

  /** Tries again while we run. Should the network bring it too, the ids of its messages tell that they are the same. */
  function keep(body: string, proof: P): void {
    const size = Math.max(body.length, LEAST);
    if (waiting + size > ROOM) return;
    waiting += size;
    insist(body, proof)
      .catch((error: unknown) => log.error("a message is lost", { error: Failure.from(error).message }))
      .finally(() => (waiting -= size));
  }

  async function insist(body: string, proof: P): Promise<void> {
    const backoff = createBackoff({ firstMs: FIRST_MS, maxMs: MAX_MS, random: context.random });
    for (;;) {
      await pause(context, backoff.next());
      try {
        return await takeAll(body, proof);
      } catch (error) {
        if (statusOf(error) !== LATER) throw error;
        log.warn("a message cannot be taken in yet", { error: Failure.from(error).message });
      }
    }
  }

  /** Anybody may make us say this: now and then is enough. */
  function complain({ code, message, cause }: Failure): void {
    if (clock.monotonic() < silentUntil) return;
    silentUntil = clock.monotonic() + COMPLAIN_EVERY_MS;
    const reason = cause instanceof Error ? cause.message : undefined;
    log.warn("a request to the webhook was refused", { code, problem: message, reason });
  }

  return {
    path,
    maxBody,
    async handle(request) {
      if (signal.aborted) return new Response(null, { status: 503 });
      if (request.method === "GET" && hearing.greet) return hearing.greet(request);
      if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
      try {
        if (await take(request)) return taken === 204 ? new Response(null, { status: 204 }) : Response.json({});
        complain(new Failure("unauthorized", "it does not come from the network"));
        return new Response(null, { status: 401 });
      } catch (error) {
        const failure = Failure.from(error);
        complain(failure);
        return new Response(null, { status: statusOf(failure) });
      }
    },
  };
}

const LATER = 503;

/** Whether sending it again could help. */
function statusOf(error: unknown): number {
  switch (Failure.from(error).code) {
    case "invalid-request":
      return 400;
    case "forbidden":
      return 403;
    case "rate-limited":
      return 429;
    default:
      return LATER;
  }
}

/** The path of an account: each has its own, so that the secret of one opens nothing of another. */
export function webhookPath(
  given: string | undefined,
  { usual, accountId }: { readonly usual: string; readonly accountId: string },
): string {
  if (given !== undefined) return given;
  return accountId === "default" ? usual : `${usual}/${encodeURIComponent(accountId)}`;
}

/** The setting of it. */
export const webhookPathSetting = v.pipe(
  v.optional(v.pipe(v.string("a text in quotes"), v.regex(/^\/[\w./~%-]{1,200}$/, "a path such as /line/webhook"))),
  v.description("Where on the gateway's port the network's requests come in."),
);

/** The values that are as they should be; of the others the log says where they are not. */
export function fitting<const S extends v.GenericSchema>(
  schema: S,
  values: readonly unknown[],
  log: Logger,
): readonly v.InferOutput<S>[] {
  return values.flatMap((value) => {
    const parsed = v.safeParse(schema, value);
    if (parsed.success) return [parsed.output];
    log.warn("a message was skipped, as its form is not known", { at: v.getDotPath(parsed.issues[0]) });
    return [];
  });
}

async function bodyOf(request: Request, maxBody: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (): Failure => new Failure("invalid-request", `the body has more than ${maxBody} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > maxBody) throw tooLarge();
  const pieces: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    size += next.value.byteLength;
    if (size > maxBody) {
      // It is refused whether or not the other side hears that nobody listens any more.
      void reader?.cancel().catch(() => undefined);
      throw tooLarge();
    }
    pieces.push(next.value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
