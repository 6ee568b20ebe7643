import type { Processes, SpokenChild } from "../../../src/host/host.ts";
import { Failure } from "../../../src/kit/error.ts";

type Params = Readonly<Record<string, unknown>>;

/** The program `imsg` over a database of Messages that outlives it; it takes nothing that the real one would refuse. */
export interface ImessageDouble {
  readonly processes: Pick<Processes, "start" | "converse">;
  readonly problems: string[];
  readonly sent: Params[];
  readonly starts: { readonly command: string; readonly args: readonly string[] }[];
  readonly watches: Params[];
  /** A message comes into the database. */
  put(message: Params): void;
  /** The program says something that nobody asked for. */
  print(line: string): void;
  /** It ends. */
  end(code: number, words?: string): void;
  /** The next `send` is refused, or never answered. */
  refuse(error: Params | "silence"): void;
  /** It is not there. */
  missing: boolean;
}

export function imessageDouble(): ImessageDouble {
  const problems: string[] = [];
  const sent: Params[] = [];
  const starts: { command: string; args: readonly string[] }[] = [];
  const watches: Params[] = [];
  const rows: Params[] = [];
  let running: { finish(code: number | undefined, words?: string): void; tell(line: unknown): void } | undefined;
  let watching = false;
  let refusal: Params | "silence" | undefined;

  const shown = (message: Params): Params => ({ subscription: 1, message });
  const methods: Readonly<Record<string, (params: Params) => unknown>> = {
    "chats.list": ({ limit }) => (Number(limit) > 0 ? { chats: rows.length === 0 ? [] : [{ id: 7 }] } : undefined),
    "messages.history": ({ chat_id }) => (chat_id === 7 ? { messages: rows.slice(-1) } : undefined),
    "watch.subscribe"(params) {
      const { since_rowid: since, attachments } = params;
      if (typeof since !== "number" || attachments !== true) return undefined;
      watches.push(params);
      watching = true;
      queueMicrotask(() => {
        for (const message of rows.filter(({ id }) => Number(id) > since))
          running?.tell({ jsonrpc: "2.0", method: "message", params: shown(message) });
      });
      return { subscription: 1 };
    },
    send(params) {
      const { to, chat_id: chat, text, service } = params;
      const place = typeof chat === "number" ? to === undefined : typeof to === "string" && chat === undefined;
      if (!place || typeof text !== "string" || text === "" || !["auto", "imessage", "sms"].includes(String(service)))
        return undefined;
      sent.push(params);
      return { ok: true };
    },
  };

  function converse(command: string, args: readonly string[], line: (text: string) => void): SpokenChild {
    starts.push({ command, args });
    let stderr = "";
    let finish: (code: number | undefined, words?: string) => void = () => undefined;
    const own = {
      finish: (code: number | undefined, words = "") => {
        stderr = words;
        if (running === own) running = undefined;
        watching = false;
        finish(code);
      },
      tell: (said: unknown) => queueMicrotask(() => void (running === own && line(JSON.stringify(said)))),
    };
    const exited = new Promise<{ code: number | undefined; signal: string | undefined }>((resolve) => {
      finish = (code) => resolve({ code, signal: code === undefined ? "SIGTERM" : undefined });
    });
    running = own;
    if (double.missing) queueMicrotask(() => own.finish(127));
    return {
      pid: 1,
      exited,
      get stderr() {
        return stderr;
      },
      kill: () => own.finish(undefined),
      say(text) {
        if (running !== own || double.missing) return;
        const { jsonrpc, id, method, params } = JSON.parse(text);
        if (jsonrpc !== "2.0" || text.includes("\n")) problems.push(text);
        if (method === "send" && refusal !== undefined) {
          const error = refusal;
          refusal = undefined;
          return error === "silence" ? undefined : own.tell({ jsonrpc, id, error });
        }
        const result = methods[method]?.(params);
        if (result === undefined) problems.push(text);
        own.tell(
          result === undefined
            ? { jsonrpc, id, error: { code: -32602, message: "Invalid params" } }
            : { jsonrpc, id, result },
        );
      },
    };
  }

  const double: ImessageDouble = {
    processes: {
      converse,
      start() {
        throw new Failure("internal", "imsg is spoken to");
      },
    },
    problems,
    sent,
    starts,
    watches,
    put(message) {
      const id = rows.length + 100;
      const whole = {
        id,
        chat_id: 7,
        guid: `guid-${id}`,
        sender: "+15551234567",
        is_from_me: false,
        created_at: "2026-01-02T03:04:05.000Z",
        attachments: [],
        is_group: false,
        ...message,
      };
      rows.push(whole);
      if (watching) running?.tell({ jsonrpc: "2.0", method: "message", params: shown(whole) });
    },
    print: (line) => running?.tell(JSON.parse(line)),
    end: (code, words) => running?.finish(code, words),
    refuse: (error) => void (refusal = error),
    missing: false,
  };
  return double;
}
