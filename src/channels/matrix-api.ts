import * as v from "valibot";
import { Failure, type Code } from "../kit/error.ts";
import { ask, codeOf, download, type NetworkRequest } from "./channel-request.ts";
import type { ChannelContext, OutboundMedia } from "./channel.ts";

/** A homeserver's client-server API (spec.matrix.org), asked as one user once `signIn` was called. */
export interface MatrixApi {
  /** Undefined asks as nobody. */
  signIn(token: string | undefined): void;
  /** `path` goes behind `/_matrix/client/`; its parts are to be encoded. `unavailable` when the answer is not of this shape. */
  call<S extends v.GenericSchema>(path: string, shape: S, options?: MatrixCall): Promise<v.InferOutput<S>>;
  /** Answers the address of the file within Matrix, `mxc://…`. */
  upload(file: OutboundMedia, signal: AbortSignal): Promise<string>;
  fetch(mxc: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>;
}

export type MatrixCall = Pick<Partial<NetworkRequest>, "method" | "json" | "timeoutMs" | "maxBytes" | "signal">;

const label = "Matrix";

export function matrixApi(context: ChannelContext, homeserver: string): MatrixApi {
  const root = `${homeserver.replace(/\/+$/, "")}/_matrix`;
  let token: string | undefined;

  const request = (path: string, { signal = context.signal, ...options }: MatrixCall): NetworkRequest => ({
    label,
    url: `${root}/${path}`,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal,
    refusal,
    ...options,
  });

  return {
    signIn: (given) => void (token = given),
    async call(path, shape, options = {}) {
      const parsed = v.safeParse(shape, await ask(context, request(`client/${path}`, options)));
      if (parsed.success) return parsed.output;
      const what = path.replace(/[?].*$/, "").slice(0, 100);
      throw new Failure("unavailable", `${label} gave no proper answer to ${what}`);
    },
    async upload({ data, fileName, mimeType }, signal) {
      const body = new Blob([new Uint8Array(data)], { type: mimeType });
      const asked = request(`media/v3/upload?filename=${encodeURIComponent(fileName)}`, { signal });
      const headers = { ...asked.headers, "content-type": mimeType };
      const parsed = v.safeParse(uploadShape, await ask(context, { ...asked, headers, body }));
      if (parsed.success) return parsed.output.content_uri;
      throw new Failure("unavailable", `${label} did not say where it put ${JSON.stringify(fileName)}`);
    },
    async fetch(mxc, { maxBytes, signal }) {
      const [, server, id] = mxcShape.exec(mxc) ?? [];
      if (server === undefined || id === undefined)
        throw new Failure("invalid-request", "the file has no address in Matrix");
      // Unless asked to, the homeserver does not send us elsewhere.
      return download(context, { ...request(`client/v1/media/download/${server}/${id}`, { signal }), maxBytes });
    },
  };
}

/** Everything in it may stand in a path as it is. */
const mxcShape = /^mxc:\/\/([A-Za-z0-9.:[\]-]{1,255})\/([A-Za-z0-9_-]{1,255})$/;

const uploadShape = v.looseObject({ content_uri: v.pipe(v.string(), v.regex(mxcShape)) });

/** The standard error response; a body without an errcode leaves it to the status. */
function refusal(status: number, body: unknown): Failure | undefined {
  const parsed = v.safeParse(errorShape, body);
  if (!parsed.success) return undefined;
  const { errcode, error = "", retry_after_ms: retryAfterMs } = parsed.output;
  const words = `${label} answered ${errcode.slice(0, 60)}${error === "" ? "" : `: ${error.slice(0, 200)}`}`;
  const wait = retryAfterMs === undefined ? undefined : Math.min(Math.max(retryAfterMs, 0), 3_600_000);
  if (errcode === "M_LIMIT_EXCEEDED" && wait === undefined) return undefined;
  return new Failure(meanings[errcode] ?? codeOf(status), words, { retryAfterMs: wait, details: { errcode } });
}

const errorShape = v.looseObject({
  errcode: v.string(),
  error: v.optional(v.string()),
  retry_after_ms: v.optional(v.number()),
});

const meanings: Readonly<Record<string, Code>> = {
  M_UNKNOWN_TOKEN: "unauthorized",
  M_MISSING_TOKEN: "unauthorized",
  M_USER_DEACTIVATED: "unauthorized",
  M_USER_LOCKED: "unauthorized",
  M_FORBIDDEN: "forbidden",
  M_LIMIT_EXCEEDED: "rate-limited",
  M_NOT_FOUND: "not-found",
  M_TOO_LARGE: "invalid-request",
};
