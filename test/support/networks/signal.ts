import type { ContextOptions, SentRequest } from "../channel-context.ts";

/** A signal-cli that serves one account over HTTP, and takes nothing that the real one would refuse. */
export interface SignalDouble {
  readonly reached: Pick<Required<ContextOptions>, "answer">;
  readonly problems: string[];
  /** Calls that were answered, without `send`. */
  readonly calls: { readonly method: string; readonly params: Params }[];
  /** What `send` was given. */
  readonly messages: Params[];
  readonly sent: readonly string[];
  readonly files: Map<string, Uint8Array>;
  /** Tells of an envelope: now, or when somebody listens, as with `--receive-mode on-connection`. */
  tell(envelope: Params): void;
  write(text: string): void;
  drop(): void;
  revoke(): void;
  /** The next call is answered with this error, or these results. */
  fail(error: { readonly code: number; readonly message: string }): void;
  results(results: readonly Params[]): void;
  /** Whether it runs. */
  running: boolean;
}

type Params = Readonly<Record<string, unknown>>;

export const signalAccount = "+15550000001";
export const signalAlice = {
  sourceNumber: "+15551234567",
  sourceUuid: "0d6b7a3e-0000-4000-8000-00000000a11c",
  sourceName: "Alice",
};

export function signalDouble(): SignalDouble {
  const problems: string[] = [];
  const calls: { method: string; params: Params }[] = [];
  const messages: Params[] = [];
  const files = new Map<string, Uint8Array>();
  const held: string[] = [];
  let listener: ReadableStreamDefaultController<Uint8Array> | undefined;
  let revoked = false;
  let failure: { code: number; message: string } | undefined;
  let results: readonly Params[] | undefined;
  let clock = 1_800_000_000_000;

  const flush = (): void => {
    for (const event of listener ? held.splice(0) : []) listener?.enqueue(new TextEncoder().encode(event));
  };
  const double: SignalDouble = {
    reached: { answer },
    problems,
    calls,
    messages,
    files,
    running: true,
    get sent() {
      return messages.map(({ message }) => String(message));
    },
    tell(envelope) {
      held.push(`event:receive\ndata:${JSON.stringify({ envelope, account: signalAccount })}\n\n`);
      flush();
    },
    write: (text) =>
      double.tell({ ...signalAlice, timestamp: ++clock, dataMessage: { timestamp: clock, message: text } }),
    drop() {
      listener?.error(new TypeError("terminated"));
      listener = undefined;
    },
    revoke() {
      revoked = true;
      double.drop();
    },
    fail: (error) => void (failure = error),
    results: (given) => void (results = given),
  };

  function answer(request: SentRequest, signal: AbortSignal | null): Response {
    const { method, url } = request;
    if (!double.running)
      throw new TypeError("fetch failed", { cause: Object.assign(new Error(""), { code: "ECONNREFUSED" }) });
    if (method === "GET" && url.pathname === "/api/v1/check") return new Response();
    if (method === "GET" && url.pathname === "/api/v1/events") return events(url, signal);
    if (method === "POST" && url.pathname === "/api/v1/rpc") return Response.json(rpc(request));
    problems.push(`${method} ${url.pathname}`);
    return new Response("", { status: 404 });
  }

  function events(url: URL, signal: AbortSignal | null): Response {
    if (revoked || url.searchParams.get("account") !== signalAccount) return new Response("", { status: 400 });
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        listener = controller;
        controller.enqueue(new TextEncoder().encode(":\n"));
        flush();
      },
      cancel: () => void (listener = undefined),
    });
    signal?.addEventListener("abort", () => (listener = undefined), { once: true });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  function rpc({ headers, json }: SentRequest): unknown {
    const { jsonrpc, id, method, params } = json ?? {};
    if (jsonrpc !== "2.0" || typeof id !== "string" || headers.get("content-type") !== "application/json")
      problems.push(`no JSON-RPC: ${JSON.stringify(json)}`);
    const { account, ...rest } = params ?? {};
    const wrong = (message: string): unknown => ({ jsonrpc, id, error: { code: -32602, message } });
    if (account !== signalAccount) return wrong("Specified account does not exist");
    if (failure) {
      const error = failure;
      failure = undefined;
      return { jsonrpc, id, error: { ...error, data: null } };
    }
    const result = methods[method]?.(rest);
    if (result === undefined) problems.push(`${method} ${JSON.stringify(rest)}`);
    if (result === undefined) return wrong("Invalid parameters");
    return { jsonrpc, id, result };
  }

  const place = ({ recipient, groupId, username }: Params): boolean =>
    [recipient, username].filter((list) => Array.isArray(list) && list.every((one) => typeof one === "string")).length +
      (typeof groupId === "string" ? 1 : 0) ===
    1;
  const noted = (method: string, params: Params, fits: boolean): unknown => {
    if (!fits) return undefined;
    calls.push({ method, params });
    return {};
  };
  const methods: Readonly<Record<string, (params: Params) => unknown>> = {
    send(params) {
      const { message, textStyles, attachments, quoteTimestamp, quoteAuthor } = params;
      const styled =
        textStyles === undefined || (Array.isArray(textStyles) && textStyles.every((one) => fitsText(one, message)));
      const attached =
        attachments === undefined ||
        (Array.isArray(attachments) &&
          attachments.every((one) => /^data:[\w/.+-]+;filename=[\w.-]+;base64,[\w+/=]+$/.test(one)));
      const quotes = (quoteTimestamp === undefined) === (quoteAuthor === undefined);
      if (!place(params) || typeof message !== "string" || !styled || !attached || !quotes) return undefined;
      messages.push(params);
      const told = results ?? [{ type: "SUCCESS" }];
      results = undefined;
      return { timestamp: ++clock, results: told };
    },
    sendReceipt: (params) =>
      noted("sendReceipt", params, typeof params["recipient"] === "string" && Array.isArray(params["targetTimestamp"])),
    sendTyping: (params) => noted("sendTyping", params, place(params)),
    sendReaction: (params) =>
      noted(
        "sendReaction",
        params,
        place(params) && Boolean(params["emoji"]) && typeof params["targetTimestamp"] === "number",
      ),
    remoteDelete: (params) =>
      noted("remoteDelete", params, place(params) && typeof params["targetTimestamp"] === "number"),
    version: () => ({ version: "0.13.0" }),
    getAttachment({ id, recipient, groupId }) {
      const bytes = files.get(String(id));
      if (!bytes || (typeof recipient === "string") === (typeof groupId === "string")) return undefined;
      return { data: btoa(String.fromCharCode(...bytes)) };
    },
  };
  return double;
}

function fitsText(style: unknown, message: unknown): boolean {
  const [, start, length] = /^(\d+):(\d+):(?:BOLD|ITALIC|STRIKETHROUGH|MONOSPACE|SPOILER)$/.exec(String(style)) ?? [];
  return Number(length) > 0 && Number(start) + Number(length) <= String(message).length;
}
