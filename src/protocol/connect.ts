import * as v from "valibot";
import { roles } from "./scope.ts";

/** Names that clients give themselves: of v4, and the older ones of v3 (protocol.md 2.2, 2.6). Labels, not proofs. */
export const clientIds = [
  "webchat-ui",
  "openclaw-control-ui",
  "openclaw-browser-copilot",
  "openclaw-tui",
  "webchat",
  "cli",
  "gateway-client",
  "openclaw-macos",
  "openclaw-linux",
  "openclaw-ios",
  "openclaw-watchos",
  "openclaw-android",
  "node-host",
  "openclaw-worker",
  "test",
  "fingerprint",
  "openclaw-probe",
  "clawdbot-control-ui",
  "clawdbot-macos",
  "clawdbot-ios",
  "clawdbot-android",
  "clawdbot-probe",
] as const;

export const clientModes = ["webchat", "cli", "ui", "backend", "node", "worker", "probe", "test"] as const;

/** Clients that run in a browser page: they need an allowed Origin and a device identity (protocol.md 3.4, 4.5). */
export const browserClients: ReadonlySet<string> = new Set([
  "openclaw-control-ui",
  "clawdbot-control-ui",
  "webchat",
  "webchat-ui",
]);

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(1024));
const list = v.pipe(v.array(text), v.maxLength(512));

/** The parameters of `connect` (protocol.md 2.2). Properties that newer clients add are ignored. */
export const connectParams = v.object({
  minProtocol: v.pipe(v.number(), v.integer(), v.minValue(1)),
  maxProtocol: v.pipe(v.number(), v.integer(), v.minValue(1)),
  client: v.object({
    id: v.picklist(clientIds),
    version: text,
    platform: text,
    mode: v.picklist(clientModes),
    displayName: v.optional(text),
    deviceFamily: v.optional(text),
    modelIdentifier: v.optional(text),
    instanceId: v.optional(text),
    timeZone: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
  }),
  role: v.optional(text),
  scopes: v.optional(list, []),
  caps: v.optional(list, []),
  commands: v.optional(list, []),
  permissions: v.optional(v.record(v.string(), v.boolean())),
  pathEnv: v.optional(v.pipe(v.string(), v.maxLength(32_768))),
  auth: v.optional(
    v.object({
      token: v.optional(v.string()),
      bootstrapToken: v.optional(v.string()),
      deviceToken: v.optional(v.string()),
      password: v.optional(v.string()),
    }),
    {},
  ),
  device: v.optional(
    v.object({
      id: text,
      publicKey: text,
      signature: text,
      signedAt: v.pipe(v.number(), v.integer(), v.minValue(0)),
      nonce: v.optional(text),
    }),
  ),
  locale: v.optional(v.string()),
  userAgent: v.optional(v.string()),
});

export type ConnectParams = v.InferOutput<typeof connectParams>;

export function isRole(text: string): text is (typeof roles)[number] {
  return (roles as readonly string[]).includes(text);
}
