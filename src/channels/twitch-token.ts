import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { sha256Hex } from "../kit/ids.ts";
import { parseJson } from "../kit/json.ts";
import type { ChannelContext } from "./channel.ts";
import { ask } from "./channel-request.ts";
import type { TwitchSettings } from "./twitch-settings.ts";

/** The token that we sign in with. */
export interface TwitchToken {
  current(): Promise<string>;
  /** It was refused: gets another one. Rejects with `unauthorized` when there is none to be had. */
  renew(signal: AbortSignal): Promise<void>;
}

const KEPT = "token";

/** A new token takes the place of the old one, which is then worth nothing: it is on the disk before it is used. */
export function twitchToken(
  context: ChannelContext,
  settings: TwitchSettings & { readonly accessToken: string },
): TwitchToken {
  const { accessToken, refreshToken, clientId, clientSecret } = settings;
  const bare = accessToken.trim().replace(/^oauth:/, "");

  /** What was given to us since; what belongs to other settings than these counts no more. */
  async function given(): Promise<v.InferOutput<typeof keptShape> | undefined> {
    const kept = v.safeParse(keptShape, parseJson((await context.kept.read(KEPT)) ?? ""));
    return kept.success && kept.output.of === (await origin()) ? kept.output : undefined;
  }
  const origin = (): Promise<string> => sha256Hex(JSON.stringify([bare, refreshToken ?? ""]));

  return {
    current: async () => (await given())?.accessToken ?? bare,
    async renew(signal) {
      const refresh = (await given())?.refreshToken ?? refreshToken;
      if (!refresh || !clientId || !clientSecret)
        throw new Failure(
          "unauthorized",
          "Twitch does not accept accessToken: get a new one, or set clientId, clientSecret and refreshToken",
        );
      const form = {
        grant_type: "refresh_token",
        refresh_token: refresh,
        client_id: clientId,
        client_secret: clientSecret,
      };
      const answer = await ask(context, {
        label: "Twitch",
        url: "https://id.twitch.tv/oauth2/token",
        body: new URLSearchParams(form),
        signal,
        refusal: (status) =>
          [400, 401, 403].includes(status)
            ? new Failure(
                "unauthorized",
                "Twitch does not renew accessToken: refreshToken, clientId or clientSecret is no longer good",
              )
            : undefined,
      });
      const read = v.safeParse(grantShape, answer);
      if (!read.success) throw new Failure("unavailable", "Twitch gave an answer about the token that cannot be read");
      const { access_token, refresh_token = refresh } = read.output;
      await context.kept.write(
        KEPT,
        JSON.stringify({ of: await origin(), accessToken: access_token, refreshToken: refresh_token }),
      );
    },
  };
}

const word = v.pipe(v.string(), v.regex(/^[A-Za-z0-9]{1,200}$/));
const keptShape = v.object({ of: v.string(), accessToken: word, refreshToken: word });
const grantShape = v.looseObject({ access_token: word, refresh_token: v.optional(word) });
