import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { sameSecret } from "../kit/secret.ts";
import type { Devices } from "../pairing/devices.ts";
import type { AuthMethod, Caller, User } from "../protocol/caller.ts";
import { browserClients, type ConnectParams } from "../protocol/connect.ts";
import { intersect, isScope, type Role } from "../protocol/scope.ts";
import { bringsCode, redeemCode } from "./by-code.ts";
import type { Whois } from "../tailscale/whois.ts";
import { attempt, type Attempter } from "./attempt.ts";
import { verifyDevice } from "./device-proof.ts";
import type { Locality, Trust } from "./locality.ts";
import type { Limiter } from "./limiter.ts";
import { checkOrigin, type OriginRules } from "./origin.ts";
import {
  identityRequired,
  originRefused,
  pageIdentityRequired,
  pairingRequired,
  unauthorized,
  type AuthReason,
} from "./refusals.ts";
import { judgeVouched, type Vouched, type VouchRules } from "./vouched.ts";

/** How callers prove themselves: the result of the configuration, the environment and the flags. */
export interface AuthSettings extends VouchRules {
  readonly token?: string | undefined;
  readonly password?: string | undefined;
  /** What Tailscale on this machine forwards to us. */
  readonly tailscale: Trust["tailscale"];
  readonly autoApproveLocal: boolean;
  readonly exemptLoopback: boolean;
}

/** What the server itself knows of a socket, before its first frame. */
export interface Arrival {
  readonly connId: string;
  readonly nonce: string;
  readonly from: Locality;
  readonly origin: string | undefined;
  readonly host: string;
  /** What a proxy or Tailscale says of the user. */
  readonly vouched: Vouched | undefined;
}

export interface AuthContext {
  readonly clock: Clock;
  readonly limiter: Limiter;
  readonly devices: Devices;
  readonly settings: AuthSettings;
  readonly origins: OriginRules;
  readonly whois?: Whois | undefined;
}

export interface Admittance {
  readonly caller: Caller;
  /** The token this device may use next time. */
  readonly deviceToken?: { readonly token: string; readonly issuedAtMs: number } | undefined;
  /** Tokens of other roles that a setup code gave to this device, as `hello-ok` carries them. */
  readonly deviceTokens?: readonly object[];
  /** Told whether the caller was still there for the answer. */
  readonly answered?: (delivered: boolean) => void;
}

interface Claim {
  readonly params: ConnectParams;
  readonly protocol: 3 | 4;
  readonly role: Role;
  readonly arrival: Arrival;
  readonly context: AuthContext;
}

/**
 * Finds out who is connecting, from the socket and the proofs in `connect`, in the order of protocol.md 3.3 to 3.5:
 * origin, device key, secret, pairing. What is granted is what is asked for and the proof allows, never more (threat C).
 * Throws the refusal.
 */
export async function authenticate(claim: Claim): Promise<Admittance> {
  const { params, arrival, context } = claim;
  const isPage = browserClients.has(params.client.id);
  if (isPage || arrival.origin !== undefined) {
    const verdict = checkOrigin(arrival.origin, arrival.host, arrival.from, context.origins);
    if (!verdict.ok) throw originRefused(verdict.reason);
  }
  const proof = params.device
    ? await verifyDevice(
        { ...params, device: params.device },
        {
          clock: context.clock,
          protocol: claim.protocol,
          nonce: arrival.nonce,
          role: claim.role,
          local: arrival.from.local,
        },
      )
    : undefined;
  if (proof && bringsCode(params.auth, context.settings)) {
    const { scopes, ...given } = await redeemCode(claim, proof, known(asked(claim)));
    return { ...admitted(claim, "bootstrap-token", scopes, proof.deviceId), ...given };
  }
  const secret = await checkSecret(claim, proof?.deviceId);
  if (secret.kind === "device-token") return admitted(claim, "device-token", secret.scopes, proof?.deviceId);
  const admittance = proof ? await admitDevice(claim, proof, secret.method) : admitWithoutDevice(claim, secret.method);
  return secret.user ? { ...admittance, caller: { ...admittance.caller, user: secret.user } } : admittance;
}

type Secret =
  | { readonly kind: "shared"; readonly method: AuthMethod; readonly user?: User }
  | { readonly kind: "device-token"; readonly scopes: readonly string[] };

/** Compares what was sent with the shared secret, then with the device's own token. One attempt, counted before it. */
async function checkSecret(claim: Claim, deviceId: string | undefined): Promise<Secret> {
  const { params, arrival, context } = claim;
  const { settings } = context;
  const { auth } = params;
  const vouched = await judgeVouched(arrival, context);
  if (vouched && !(vouched instanceof Failure)) return { kind: "shared", ...vouched };
  // Behind such a proxy nothing else counts; who comes past Tailscale may still know the secret.
  if (vouched && settings.mode === "trusted-proxy") throw vouched;
  // Whom Tailscale forwards for is anywhere in its network: `none` means this machine.
  if (settings.mode === "none" && arrival.from.via !== "tailscale") return { kind: "shared", method: "none" };
  const given = [auth.token, auth.password].filter(isGiven);
  const deviceTokens = [auth.deviceToken, auth.token].filter(isGiven);
  if (given.length === 0 && deviceTokens.length === 0 && !auth.bootstrapToken) {
    throw (
      vouched ??
      (deviceId || settings.mode === "none" ? refuse(claim, missing(settings.mode), deviceId) : identityRequired())
    );
  }
  return attempt(context, arrival, (proved) => compareSecrets(claim, { given, deviceTokens, deviceId, proved }));
}

interface Given {
  readonly given: readonly string[];
  readonly deviceTokens: readonly string[];
  readonly deviceId: string | undefined;
  /** Gives the attempt back. */
  readonly proved: () => void;
}

async function compareSecrets(claim: Claim, { given, deviceTokens, deviceId, proved }: Given): Promise<Secret> {
  const { params, arrival, context } = claim;
  const { settings } = context;
  const expected = sharedSecret(settings, arrival);
  for (const secret of given) {
    if (await sameSecret(secret, expected)) {
      proved();
      return { kind: "shared", method: settings.mode === "token" ? "token" : "password" };
    }
  }
  for (const token of deviceId ? deviceTokens : []) {
    const answer = await context.devices.verifyToken(deviceId ?? "", claim.role, token, known(params.scopes));
    if (answer.result === "mismatch") continue;
    proved();
    if (answer.result === "ok") return { kind: "device-token", scopes: answer.scopes };
    throw refuse(claim, "scope_mismatch", deviceId);
  }
  throw refuse(claim, mismatch(claim), deviceId);
}

/**
 * The one secret that counts in this mode. With a trusted proxy it is the password, for the owner's own commands on this
 * machine alone: they come past the proxy, and somebody has to approve the first device.
 */
export function sharedSecret({ mode, token, password }: AuthSettings, { from, origin }: Attempter): string | undefined {
  if (mode === "token") return token;
  const counts = mode === "password" || (mode === "trusted-proxy" && from.local && origin === undefined);
  return counts ? password : undefined;
}

/** A device with a valid secret: paired already, paired now, or told to wait for the owner. */
async function admitDevice(
  claim: Claim,
  proof: { deviceId: string; publicKey: string },
  method: AuthMethod,
): Promise<Admittance> {
  const { params, arrival, context, role } = claim;
  const isPage = browserClients.has(params.client.id);
  const isBackend = params.client.id === "gateway-client" && params.client.mode === "backend";
  const silent = arrival.from.local && context.settings.autoApproveLocal && (arrival.origin === undefined || isPage);
  // Helper processes of this machine come and go: they are let in without becoming a device (protocol.md 3.5).
  if (isBackend && silent && role === "operator") return admitted(claim, method, asked(claim), proof.deviceId);
  const answer = await context.devices.admit({
    ...proof,
    role,
    scopes: role === "operator" ? known(asked(claim)) : [],
    client: params.client,
    remoteIp: arrival.from.address,
    browserOrigin: arrival.origin,
    silent,
    secret: "proved",
  });
  if (answer.outcome === "pending") {
    throw pairingRequired(answer.reason, answer.request, {
      roles: answer.approvedRoles,
      scopes: answer.approvedScopes,
    });
  }
  const keepsToken = !(isPage && method === "none");
  return {
    ...admitted(claim, method, answer.scopes, proof.deviceId),
    ...(keepsToken ? { deviceToken: { token: answer.token, issuedAtMs: answer.issuedAtMs } } : {}),
  };
}

/** A client with a valid secret and no device (protocol.md 3.4): scopes only for the command line of this machine. */
function admitWithoutDevice(claim: Claim, method: AuthMethod): Admittance {
  const { client } = claim.params;
  const { from, origin } = claim.arrival;
  if (claim.role === "node") throw identityRequired();
  if (client.id.endsWith("-control-ui") || client.id === "openclaw-tui") throw pageIdentityRequired();
  const isCommand = client.id === "cli" && client.mode === "cli";
  const isBackend = client.id === "gateway-client" && client.mode === "backend";
  const direct = from.local && origin === undefined;
  if (method === "none" && !(direct && (isCommand || isBackend)) && client.mode !== "probe") throw identityRequired();
  const trusted = direct && (isCommand || isBackend || (claim.protocol === 3 && !browserClients.has(client.id)));
  return admitted(claim, method, trusted ? asked(claim) : [], undefined);
}

function admitted(
  claim: Claim,
  method: AuthMethod,
  scopes: readonly string[],
  deviceId: string | undefined,
): Admittance {
  const { params, arrival } = claim;
  const granted = claim.role === "operator" ? intersect(asked(claim), scopes) : [];
  return {
    caller: {
      connId: arrival.connId,
      protocol: claim.protocol,
      role: claim.role,
      scopes: new Set(known(granted)),
      method,
      ...(deviceId === undefined ? {} : { deviceId }),
      client: params.client,
      caps: new Set(params.caps),
      address: arrival.from.address,
      local: arrival.from.local,
    },
  };
}

/** The scopes asked for. In the v3 dialect an operator that names none means all (protocol.md 2.2). */
function asked(claim: Claim): readonly string[] {
  const { scopes } = claim.params;
  return claim.protocol === 3 && claim.role === "operator" && scopes.length === 0 ? ["operator.admin"] : scopes;
}

/** Strings that are no scope grant nothing and are not kept. */
function known(scopes: readonly string[]): readonly string[] {
  return scopes.filter(isScope);
}

function isGiven(secret: string | undefined): secret is string {
  return secret !== undefined && secret !== "";
}

function missing(mode: AuthSettings["mode"]): AuthReason {
  if (mode === "none") return "tailscale_user_missing";
  if (mode === "trusted-proxy") return "identity_header_required";
  return mode === "password" ? "password_missing" : "token_missing";
}

function mismatch({ params: { auth }, context }: Claim): AuthReason {
  if (auth.bootstrapToken && !auth.token && !auth.password) return "bootstrap_token_invalid";
  if (auth.deviceToken && !auth.token && !auth.password) return "device_token_mismatch";
  if (context.settings.mode === "trusted-proxy") return "identity_header_required";
  return context.settings.mode === "password" ? "password_mismatch" : "token_mismatch";
}

function refuse(claim: Claim, reason: AuthReason, deviceId: string | undefined): Failure {
  const { auth, client } = claim.params;
  const isShared = /^(token|password)_/.test(reason);
  return unauthorized({
    reason,
    ...(isShared
      ? { hint: hintFor(client, claim.arrival.from.local, reason.startsWith("password") ? "password" : "token") }
      : {}),
    canRetryWithDeviceToken: reason === "token_mismatch" && deviceId !== undefined && !auth.deviceToken,
  });
}

function hintFor(client: ConnectParams["client"], local: boolean, secret: string): string {
  if (browserClients.has(client.id)) return `open the dashboard URL and paste the ${secret} in Control UI settings`;
  if (client.mode !== "cli") return `provide gateway auth ${secret}`;
  return local
    ? `use this gateway's gateway.auth.${secret} or pair the device`
    : `set gateway.remote.${secret} to match gateway.auth.${secret}`;
}
