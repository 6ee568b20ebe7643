import * as v from "valibot";
import { toBase64 } from "../kit/base64.ts";
import { Failure } from "../kit/error.ts";
import type { JsonObject } from "../kit/json.ts";
import type { ChannelContext, Outbound, OutboundMedia, Self, Sent } from "./channel.ts";
import { understood } from "./channel-answer.ts";
import { repeatable } from "./channel-repeatable.ts";
import { ask, download, type NetworkRequest } from "./channel-request.ts";
import { createAccessToken } from "./channel-token.ts";

/** A conversation, and the service that has it. */
export interface Place {
  readonly serviceUrl: string;
  readonly conversation: string;
}

/** What is asked of the Bot Framework's connector service. */
export interface Connector {
  whoami(signal: AbortSignal): Promise<Self>;
  post(place: Place, message: Outbound, signal: AbortSignal): Promise<Sent>;
  put(place: Place, message: { readonly id: string; readonly text: string }, signal: AbortSignal): Promise<void>;
  remove(place: Place, id: string, signal: AbortSignal): Promise<void>;
  typing(place: Place, signal: AbortSignal): Promise<void>;
  /** A picture in a message, or a file that a person shared with us. */
  load(url: string, options: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>;
}

export interface SignIn {
  readonly appId: string;
  readonly appPassword: string;
  readonly tenantId: string | undefined;
}

const label = "Microsoft Teams";
const SCOPE = "https://api.botframework.com/.default";
/** The services that Teams has for bots, in Microsoft's clouds: no other is ever given a token (threats A and N). */
const services =
  /^(smba\.trafficmanager\.net|smba\.infra\.(gcc\.teams\.microsoft\.com|gov\.teams\.microsoft\.us|dod\.teams\.microsoft\.us)|([a-z0-9-]+\.)+botframework\.com)$/;
/** Where files lie that are shared with a bot: at an address that opens by itself. */
const files = /^[a-z0-9-]+\.sharepoint\.(com|us)$/;

export function isService(url: string): boolean {
  return isAt(url, services);
}

export function createConnector(
  context: Pick<ChannelContext, "fetch" | "clock" | "signal">,
  signIn: SignIn,
): Connector {
  const token = createAccessToken(context.clock, () => grant(context, signIn));

  function call(
    place: Place,
    path: string,
    rest: Partial<NetworkRequest> & Pick<NetworkRequest, "signal">,
  ): Promise<unknown> {
    if (!isService(place.serviceUrl))
      throw new Failure(
        "config",
        "the service of a conversation of Microsoft Teams is none of Microsoft's: it is not asked",
      );
    const base = place.serviceUrl.replace(/\/+$/, "");
    const url = `${base}/v3/conversations/${encodeURIComponent(place.conversation)}/activities${path}`;
    return token.use((bearer) => ask(context, { label, url, headers: { authorization: `Bearer ${bearer}` }, ...rest }));
  }

  return {
    async whoami() {
      // The bot has no profile to ask for: that its secret is taken is all there is to know.
      await token.use(async () => undefined);
      return { id: signIn.appId };
    },
    async post(place, { text, replyTo, media = [] }, signal) {
      const json = activityOf(text, media);
      const path = replyTo === undefined ? "" : `/${encodeURIComponent(replyTo)}`;
      const answer = await call(place, path, { json, signal });
      return { id: understood(sentSchema, { label, answer }).id };
    },
    async put(place, { id, text }, signal) {
      await call(place, `/${encodeURIComponent(id)}`, { method: "PUT", json: { ...activityOf(text, []), id }, signal });
    },
    async remove(place, id, signal) {
      await call(place, `/${encodeURIComponent(id)}`, { method: "DELETE", signal });
    },
    async typing(place, signal) {
      await call(place, "", { json: { type: "typing" }, signal });
    },
    async load(url, { maxBytes, signal }) {
      if (isAt(url, files)) return download(context, { label, url, signal, maxBytes });
      if (!isService(url))
        throw new Failure("invalid-request", "a file of Microsoft Teams lies at a place that is not Microsoft's");
      return token.use((bearer) =>
        download(context, { label, url, headers: { authorization: `Bearer ${bearer}` }, signal, maxBytes }),
      );
    },
  };
}

function isAt(url: string, hosts: RegExp): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, port, username } = new URL(url);
  return protocol === "https:" && port === "" && username === "" && hosts.test(hostname);
}

/** Pictures go with the message; a bot cannot send other files, so that they are at least named. */
function activityOf(text: string, media: readonly OutboundMedia[]): JsonObject {
  const isPicture = ({ mimeType }: OutboundMedia): boolean => /^image\/(png|jpeg|gif)$/.test(mimeType);
  const unsent = media.filter((file) => !isPicture(file)).map(({ fileName }) => `(not sent: ${fileName})`);
  const attachments = media.filter(isPicture).map(({ mimeType, fileName, data }) => ({
    contentType: mimeType,
    contentUrl: `data:${mimeType};base64,${toBase64(data)}`,
    name: fileName,
  }));
  const words = [text, ...unsent].filter((part) => part !== "").join("\n\n");
  return { type: "message", textFormat: "markdown", text: words, ...(attachments.length === 0 ? {} : { attachments }) };
}

/** A token for the connector (RFC 6749 4.4). */
async function grant(
  context: Pick<ChannelContext, "fetch" | "clock" | "signal">,
  { appId, appPassword, tenantId = "botframework.com" }: SignIn,
): Promise<{ readonly token: string; readonly goodForMs: number }> {
  const asking = ask(context, {
    label: "Microsoft",
    url: `https://login.microsoftonline.com/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`,
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: appId,
      client_secret: appPassword,
      scope: SCOPE,
    }),
    signal: context.signal,
    refusal: (status) =>
      status === 400 || status === 401
        ? new Failure("unauthorized", "Microsoft does not take appId and appPassword, or the app is not in this tenant")
        : undefined,
  });
  const answer = await repeatable(asking);
  const { access_token: token, expires_in: seconds } = understood(tokenSchema, { label: "Microsoft", answer });
  return { token, goodForMs: seconds * 1000 };
}

const tokenSchema = v.looseObject({ access_token: v.pipe(v.string(), v.minLength(1)), expires_in: v.number() });
const sentSchema = v.looseObject({ id: v.pipe(v.string(), v.minLength(1)) });
