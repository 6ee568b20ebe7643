import type { Caller, ClientInfo } from "../protocol/caller.ts";
import type { Role } from "../protocol/scope.ts";

/** A device asking to be let in, as `device.pair.list` shows it (protocol.md 3.6). */
export interface DeviceRequest {
  readonly requestId: string;
  readonly deviceId: string;
  readonly publicKey: string;
  readonly displayName?: string | undefined;
  readonly platform?: string | undefined;
  readonly deviceFamily?: string | undefined;
  readonly clientId: string;
  readonly clientMode: string;
  readonly role: Role;
  readonly roles: readonly Role[];
  readonly scopes: readonly string[];
  readonly remoteIp?: string | undefined;
  readonly browserOrigin?: string | undefined;
  readonly silent: boolean;
  readonly isRepair: boolean;
  readonly ts: number;
}

export interface DeviceToken {
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly createdAtMs: number;
  readonly rotatedAtMs?: number | undefined;
  readonly lastUsedAtMs?: number | undefined;
  readonly revokedAtMs?: number | undefined;
}

export interface Device {
  readonly deviceId: string;
  readonly publicKey: string;
  readonly displayName?: string | undefined;
  readonly label?: string | undefined;
  readonly platform: string;
  readonly deviceFamily?: string | undefined;
  readonly clientId: string;
  readonly clientMode: string;
  readonly role: Role;
  readonly roles: readonly Role[];
  /** Approved operator scopes. */
  readonly scopes: readonly string[];
  readonly remoteIp?: string | undefined;
  readonly approvedVia: "silent" | "owner" | "bootstrap";
  readonly createdAtMs: number;
  readonly approvedAtMs: number;
  readonly lastSeenAtMs: number;
  readonly lastSeenReason: string;
  /** Without their values, which are never shown. */
  readonly tokens: readonly DeviceToken[];
}

/** What a device that proved its key asks for at `connect`. */
export interface Admission {
  readonly deviceId: string;
  /** Unpadded base64url of the raw 32 bytes. */
  readonly publicKey: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly client: ClientInfo;
  readonly remoteIp: string;
  readonly browserOrigin?: string | undefined;
  /** Whether this connect may be approved without asking: decided by the caller from locality, secret and Origin. */
  readonly silent: boolean;
  /** `proved` when a shared secret was given too (or none is needed); with it scopes may be widened silently. */
  readonly secret: "proved" | "absent";
  /** The connection that asks: it stays when the device's older ones must end. */
  readonly connId?: string;
}

/** The answer to an Admission. `token` is the device token for the role: shown only to the device itself. */
export type Admitted =
  | {
      readonly outcome: "paired";
      readonly scopes: readonly string[];
      readonly token: string;
      readonly issuedAtMs: number;
    }
  | {
      readonly outcome: "pending";
      readonly reason: "not-paired" | "scope-upgrade" | "role-upgrade" | "metadata-upgrade";
      readonly request: DeviceRequest;
      readonly approvedRoles?: readonly Role[];
      readonly approvedScopes?: readonly string[];
    };

export interface DeviceEvents {
  requested: DeviceRequest;
  resolved: {
    readonly requestId: string;
    readonly deviceId: string;
    readonly decision: "approved" | "rejected";
    readonly ts: number;
  };
  /** A token stopped being valid or a device is gone: its live connections of that role (all roles when absent) must close. */
  revoked: {
    readonly deviceId: string;
    readonly role?: Role;
    /** The connection that rotated its own token and is given the new one: it stays. */
    readonly except?: string;
  };
  changed: Record<string, never>;
  /** A device came in by a setup code and has its tokens. */
  "setup.completed": SetupOutcome;
  /** A device came in by a setup code, and was gone before it could be given its tokens: it needs a new code. */
  "setup.deliveryUncertain": SetupOutcome;
}

/** What a setup code gives: a node's role, and beside it no, some or all rights of an operator. */
export type SetupAccess = "full" | "limited" | "node";

export interface SetupOutcome {
  readonly setupId: string;
  readonly deviceId: string;
  readonly deviceName?: string;
  readonly access: SetupAccess;
  readonly ts: number;
}

/** A device token with its value: for the device itself, and nobody else. */
export interface IssuedToken {
  readonly token: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly issuedAtMs: number;
}

/** Codes that let one device in without being asked about: single use, ten minutes, kept as hashes. */
export interface SetupCodes {
  /** Makes a code; its token is told here and never again. The maker must hold `operator.admin`. */
  create(
    access: SetupAccess,
    creator: Caller,
  ): Promise<{ readonly setupId: string; readonly token: string; readonly expiresAtMs: number }>;
  /** Uses a code up and lets the device in that proved its key; undefined when the code is none, used, or over. */
  redeem(
    token: string,
    admission: Admission,
  ): Promise<{ readonly setupId: string; readonly issued: readonly IssuedToken[] } | undefined>;
  /** Says whether the device that used the code was still there to be given its tokens. */
  answered(setupId: string, delivered: boolean): Promise<void>;
  /** Empty while the code is unused, and for one that is not known. */
  status(setupId: string): { readonly completion?: SetupOutcome; readonly deliveryUncertain?: SetupOutcome };
}

export type ScopeUpgrade =
  | {
      readonly status: "approved";
      readonly requestId: string;
      readonly deviceToken: string;
      readonly scopes: readonly string[];
    }
  | { readonly status: "rejected" | "expired"; readonly requestId: string };

/** More scopes for a page that is connected already: asked for like pairing, and waited for. */
export interface ScopeUpgrades {
  request(caller: Caller, scopes: readonly string[]): Promise<{ readonly requestId: string }>;
  /** Resolves with the owner's decision, or that there was none in time. Only the device that asked is told. */
  wait(caller: Caller, requestId: string, signal: AbortSignal): Promise<ScopeUpgrade>;
}

/**
 * The paired devices and who waits to become one. Every decision is one critical section over one document, on the disk
 * before the promise resolves. Rejects with a Failure whose message is the protocol's text (`unknown requestId`).
 */
export interface Devices {
  readonly codes: SetupCodes;
  readonly upgrades: ScopeUpgrades;
  list(): { readonly pending: readonly DeviceRequest[]; readonly paired: readonly Device[] };
  get(deviceId: string): Device | undefined;
  /** Decides over a device at connect: known and sufficient, silently approved or widened, or left pending. */
  admit(admission: Admission): Promise<Admitted>;
  /**
   * Whether `token` is the device's for this role: `ok` with the scopes it holds, `mismatch`, or `scopes` when it is right
   * but does not hold every one of `scopes`. Constant-time; remembers the use.
   */
  verifyToken(
    deviceId: string,
    role: Role,
    token: string,
    scopes: readonly string[],
  ): Promise<
    { readonly result: "ok"; readonly scopes: readonly string[] } | { readonly result: "mismatch" | "scopes" }
  >;
  /** Grants at most what the approver holds; a role other than operator needs `operator.admin`. */
  approve(requestId: string, approver: Caller): Promise<{ readonly requestId: string; readonly device: Device }>;
  reject(requestId: string): Promise<{ readonly requestId: string; readonly deviceId: string }>;
  /** With a caller, refused when the device holds more than he does. */
  remove(deviceId: string, caller?: Caller): Promise<void>;
  rename(deviceId: string, label: string, caller?: Caller): Promise<void>;
  /** A new token for the role, never with more scopes than the device was approved for or the caller holds. */
  rotate(
    deviceId: string,
    role: Role,
    scopes: readonly string[] | undefined,
    caller: Caller,
  ): Promise<{ readonly token: string; readonly scopes: readonly string[]; readonly rotatedAtMs: number }>;
  revoke(deviceId: string, role: Role, caller: Caller): Promise<{ readonly revokedAtMs: number }>;
  /** Remembers that the device was here; written with the next change, not at once. */
  seen(deviceId: string, reason: string): void;
  on<K extends keyof DeviceEvents>(event: K, listener: (payload: DeviceEvents[K]) => void): () => void;
  /** Reads the document again, after another process owned it. */
  reload(): Promise<void>;
}
