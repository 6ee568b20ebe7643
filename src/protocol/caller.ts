import type { Role } from "./scope.ts";

export type AuthMethod =
  | "none"
  | "token"
  | "password"
  | "device-token"
  | "bootstrap-token"
  | "trusted-proxy"
  | "tailscale";

/**
 * Who is on the other end, as the server found out from the connection and its proofs. Nothing in a later frame changes
 * it. What the client says of itself (`client`) is a label and grants nothing.
 */
export interface Caller {
  readonly connId: string;
  readonly protocol: 3 | 4;
  readonly role: Role;
  /** Granted by the server: what was asked for and the credential allows. */
  readonly scopes: ReadonlySet<string>;
  readonly method: AuthMethod;
  /** Present when the caller proved that it holds this device's key. */
  readonly deviceId?: string;
  /** The person a trusted proxy or Tailscale vouches for. */
  readonly user?: User | undefined;
  readonly client: ClientInfo;
  readonly caps: ReadonlySet<string>;
  /** The client's address after trusted proxies, IPv4-mapped forms normalised. */
  readonly address: string;
  /** A direct connection from this machine: loopback peer, no forwarding header. */
  readonly local: boolean;
}

export interface User {
  readonly id: string;
  readonly name?: string | undefined;
}

export interface ClientInfo {
  readonly id: string;
  readonly version: string;
  readonly platform: string;
  readonly mode: string;
  readonly displayName?: string | undefined;
  readonly deviceFamily?: string | undefined;
  readonly modelIdentifier?: string | undefined;
  readonly instanceId?: string | undefined;
  readonly timeZone?: string | undefined;
}
