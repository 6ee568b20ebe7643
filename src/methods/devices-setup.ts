import * as v from "valibot";
import type { App } from "../app.ts";
import { Failure } from "../kit/error.ts";
import { toBase64 } from "../kit/base64.ts";
import { toBase64Url } from "../kit/ids.ts";
import { monochromePng } from "../kit/png.ts";
import type { SetupAccess } from "../pairing/devices.ts";
import { chooseGatewayUrl, type GatewayUrl } from "../pairing/gateway-url.ts";
import { method } from "./method.ts";

const setupId = v.pipe(v.string(), v.nonEmpty(), v.maxLength(128));
const access = v.picklist(["full", "limited", "node"]);
const outcome = v.object({
  setupId,
  deviceId: v.string(),
  deviceName: v.optional(v.string()),
  access,
  ts: v.number(),
});

/** The methods that make setup codes, by which a device comes in without being asked about. */
export const deviceSetupMethods = [
  method({
    name: "device.pair.setupCode",
    scope: "operator.admin",
    unlisted: true,
    summary: "Makes a code that lets one device in within ten minutes, and says where it finds the gateway.",
    params: () =>
      v.object({
        publicUrl: v.pipe(
          v.optional(v.pipe(v.string(), v.nonEmpty())),
          v.description("The URL for the device, instead of one that follows from the configuration."),
        ),
        preferRemoteUrl: v.pipe(
          v.optional(v.boolean(), false),
          v.description("Give `gateway.remote.url` where it is set."),
        ),
        includeQr: v.pipe(v.optional(v.boolean(), true), v.description("Answer the code as a picture too.")),
        bootstrapProfile: v.pipe(
          v.optional(v.picklist(["limited", "node"])),
          v.description(
            "limited: without operator.admin; node: without any rights of an operator. Left out: all of them.",
          ),
        ),
        joinUrl: v.pipe(
          v.optional(v.literal(true)),
          v.description("A link to be fetched once: refused, there are none here."),
        ),
      }),
    result: () =>
      v.object({
        setupId,
        setupCode: v.string(),
        qrDataUrl: v.optional(v.string()),
        gatewayUrl: v.string(),
        auth: v.picklist(["token", "password"]),
        urlSource: v.string(),
        access,
        expiresAtMs: v.number(),
      }),
    async run({ app, params, caller }) {
      const { authMode: auth } = app.info;
      if (auth !== "token" && auth !== "password")
        throw new Failure("invalid-request", `setup codes need gateway.auth.mode token or password, not ${auth}`);
      if (params.joinUrl)
        throw new Failure(
          "invalid-request",
          "this gateway has no join links: leave joinUrl out, and use the setup code",
        );
      const { url, source } = gatewayUrl(app, params);
      const access: SetupAccess = params.bootstrapProfile ?? "full";
      const { setupId, token, expiresAtMs } = await app.devices.codes.create(access, caller);
      const content = JSON.stringify({ url, bootstrapToken: token, expiresAtMs });
      const setupCode = toBase64Url(new TextEncoder().encode(content));
      return {
        setupId,
        setupCode,
        ...(params.includeQr ? { qrDataUrl: await qrPicture(setupCode) } : {}),
        gatewayUrl: url,
        auth,
        urlSource: source,
        access,
        expiresAtMs,
      };
    },
  }),
  method({
    name: "device.pair.setupStatus",
    scope: "operator.admin",
    unlisted: true,
    summary: "Which device came in by a setup code, and whether it was there to be given its tokens.",
    params: () => v.object({ setupId }),
    result: () => v.object({ completion: v.optional(outcome), deliveryUncertain: v.optional(outcome) }),
    run: ({ app, params }) => app.devices.codes.status(params.setupId),
  }),
] as const;

interface Wanted {
  readonly publicUrl?: string | undefined;
  readonly preferRemoteUrl: boolean;
}

function gatewayUrl(app: App, { publicUrl, preferRemoteUrl }: Wanted): GatewayUrl {
  const { remote, publicOrigin, customBindHost, tls } = app.config.current().value.gateway;
  return chooseGatewayUrl({
    publicUrl,
    remoteUrl: preferRemoteUrl ? remote.url : undefined,
    publicOrigin,
    tailscaleUrl: app.health.parts().find(({ part, state }) => part === "tailscale" && state === "ok")?.url,
    bind: app.info.bind,
    customBindHost,
    port: app.info.port,
    tls: tls.enabled,
    interfaces: app.host.net?.interfaces() ?? [],
  });
}

/**
 * The code as a picture with four modules of quiet all round, as readers want it (ISO 18004): as large as the 16,384
 * characters allow that the protocol has for it.
 */
async function qrPicture(text: string): Promise<string> {
  const { encode } = await import("uqr");
  const { data, size } = encode(text, { border: 4 });
  const bytes = (scale: number): number => size * scale * (1 + Math.ceil((size * scale) / 8));
  const scale = [4, 3, 2].find((each) => bytes(each) < 12_000) ?? 1;
  return `data:image/png;base64,${toBase64(monochromePng(data, scale))}`;
}
