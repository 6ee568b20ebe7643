import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { ask, download, type NetworkRequest } from "./channel-request.ts";
import type { ChannelContext } from "./channel.ts";

/** A server's API, version 4 (developers.mattermost.com/api-documentation), asked with one token. */
export interface MattermostApi {
  /** Where its events are. */
  readonly eventsUrl: string;
  /** `timeout` when the answer is not of this shape. */
  readonly call: <S extends v.GenericSchema>(
    path: string,
    shape: S,
    options?: MattermostCall,
  ) => Promise<v.InferOutput<S>>;
  /** A file of a post. */
  fetch(id: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>;
}

export type MattermostCall = Partial<Pick<NetworkRequest, "method" | "json" | "body" | "signal">>;

export function mattermostApi(
  context: ChannelContext,
  { baseUrl, token }: { readonly baseUrl: string; readonly token: string },
): MattermostApi {
  const root = `${baseUrl.replace(/\/+$/, "")}/api/v4`;
  const request = (path: string, options: MattermostCall = {}): NetworkRequest => ({
    label: "Mattermost",
    url: `${root}/${path}`,
    headers: { authorization: `Bearer ${token}` },
    signal: context.signal,
    ...options,
  });
  return {
    eventsUrl: `${root.replace(/^http/, "ws")}/websocket`,
    async call(path, shape, options) {
      const parsed = v.safeParse(shape, await ask(context, request(path, options)));
      if (parsed.success) return parsed.output;
      throw new Failure("timeout", `Mattermost gave no proper answer to ${path.replace(/\?.*/, "")}`);
    },
    fetch: async (id, options) => download(context, { ...request(`files/${id}`), ...options }),
  };
}
