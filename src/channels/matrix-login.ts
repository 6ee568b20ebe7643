import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import type { ChannelContext } from "./channel.ts";
import type { MatrixApi } from "./matrix-api.ts";
import type { MatrixSettings } from "./matrix-settings.ts";

const NAME = "login";

/** Makes the requests of `api` those of the account: by its token, by the one that is kept, or by its password. */
export async function signIn(
  { kept }: Pick<ChannelContext, "kept">,
  api: MatrixApi,
  { accessToken, homeserver, userId, password, deviceName }: MatrixSettings,
): Promise<void> {
  if (accessToken) return api.signIn(accessToken);
  const before = v.safeParse(keptShape, parseJson((await kept.read(NAME)) ?? ""));
  const { output } = before.success ? before : { output: undefined };
  const isSame = output?.homeserver === homeserver && output?.user === userId;
  if (isSame && output?.token !== undefined) return api.signIn(output.token);

  api.signIn(undefined);
  const json = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: userId },
    password,
    initial_device_display_name: deviceName,
    // The same session again, where there was one.
    ...(isSame ? { device_id: output?.device } : {}),
  };
  const answer = await api.call("v3/login", loginShape, { method: "POST", json }).catch((error: unknown) => {
    const { code, message } = Failure.from(error);
    if (code !== "forbidden") throw error;
    throw new Failure("unauthorized", `${message}: look at userId and password`, { cause: error });
  });
  const { access_token: token, device_id: device } = answer;
  await kept.write(NAME, JSON.stringify({ homeserver, user: userId, token, device }));
  api.signIn(token);
}

/** The kept token is no longer good: the next time the password is asked for. False where there is none to ask for. */
export async function signOut({ kept }: Pick<ChannelContext, "kept">, settings: MatrixSettings): Promise<boolean> {
  if (settings.accessToken) return false;
  const before = v.safeParse(keptShape, parseJson((await kept.read(NAME)) ?? ""));
  if (!before.success || before.output.token === undefined) return false;
  const { token: _, ...rest } = before.output;
  await kept.write(NAME, JSON.stringify(rest));
  return true;
}

const keptShape = v.object({
  homeserver: v.string(),
  user: v.string(),
  token: v.optional(v.string()),
  device: v.string(),
});

const loginShape = v.looseObject({ access_token: v.pipe(v.string(), v.minLength(1)), device_id: v.string() });
