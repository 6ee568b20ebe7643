import type { Caller, ClientInfo } from "../protocol/caller.ts";

/** What a node says it can do, at connect. */
export interface NodeSurface {
  readonly caps: readonly string[];
  readonly commands: readonly string[];
  readonly permissions?: Readonly<Record<string, boolean>> | undefined;
  readonly pathEnv?: string | undefined;
}

/** A node's declared surface waiting for approval (protocol.md 3.8). `nodeId` is the device id. */
export interface NodeRequest {
  readonly requestId: string;
  readonly nodeId: string;
  readonly clientId: string;
  readonly clientMode: string;
  readonly displayName?: string | undefined;
  readonly platform: string;
  readonly version: string;
  readonly deviceFamily?: string | undefined;
  readonly modelIdentifier?: string | undefined;
  readonly caps: readonly string[];
  /** Already filtered by the platform's policy (protocol.md 3.9). */
  readonly commands: readonly string[];
  readonly permissions?: Readonly<Record<string, boolean>> | undefined;
  readonly requiredApproveScopes: readonly string[];
  readonly silent: boolean;
  readonly ts: number;
}

/** A row of `node.list`. */
export interface NodeRow {
  readonly nodeId: string;
  readonly displayName?: string | undefined;
  readonly platform: string;
  readonly version: string;
  readonly clientId: string;
  readonly clientMode: string;
  readonly deviceFamily?: string | undefined;
  readonly modelIdentifier?: string | undefined;
  readonly remoteIp?: string | undefined;
  readonly caps: readonly string[];
  readonly commands: readonly string[];
  readonly permissions?: Readonly<Record<string, boolean>> | undefined;
  readonly pathEnv?: string | undefined;
  readonly sessionHost: boolean;
  readonly nodePluginTools: readonly unknown[];
  readonly hostStats?: unknown;
  readonly approvalState: "approved" | "pending-approval" | "unapproved";
  readonly pendingRequestId?: string | undefined;
  readonly pendingDeclaredCaps?: readonly string[] | undefined;
  readonly pendingDeclaredCommands?: readonly string[] | undefined;
  readonly connectedAtMs?: number | undefined;
  readonly lastConnectedAtMs?: number | undefined;
  readonly lastSeenAtMs: number;
  readonly lastSeenReason: string;
  readonly approvedAtMs?: number | undefined;
  readonly paired: boolean;
  readonly connected: boolean;
}

export interface PairedNode extends Omit<NodeRequest, "requestId" | "requiredApproveScopes" | "silent" | "ts"> {
  readonly createdAtMs: number;
  readonly approvedAtMs: number;
  readonly lastSeenAtMs: number;
  readonly lastSeenReason: string;
}

export interface NodeEvents {
  requested: NodeRequest;
  resolved: {
    readonly requestId: string;
    readonly nodeId: string;
    readonly decision: "approved" | "rejected" | "removed";
    readonly ts: number;
  };
}

/** The nodes that ever paired, what they may do, and which are connected. Durable like `Devices`. */
export interface Nodes {
  list(): readonly NodeRow[];
  get(nodeId: string): NodeRow | undefined;
  pairing(): { readonly pending: readonly NodeRequest[]; readonly paired: readonly PairedNode[] };
  /** A node's socket is past hello: records it and, for a new or wider surface, leaves a request. */
  connected(node: {
    nodeId: string;
    client: ClientInfo;
    remoteIp: string;
    surface: NodeSurface;
    connId: string;
  }): Promise<void>;
  disconnected(nodeId: string, connId: string): void;
  /** Needs `operator.pairing`, and more for what the commands can do (protocol.md 3.8). */
  approve(requestId: string, approver: Caller): Promise<{ readonly requestId: string; readonly node: PairedNode }>;
  reject(requestId: string): Promise<{ readonly requestId: string; readonly nodeId: string }>;
  remove(nodeId: string): Promise<{ readonly nodeId: string }>;
  rename(nodeId: string, displayName: string): Promise<{ readonly nodeId: string; readonly displayName: string }>;
  /** Remembers the last `node.host.stats` event. */
  setStats(nodeId: string, stats: unknown): void;
  /** Remembers the tools that the node's plugins offer; shown once its surface is approved. */
  setPluginTools(nodeId: string, tools: readonly unknown[]): void;
  /** Whether the node's surface is approved. */
  isApproved(nodeId: string): boolean;
  on<K extends keyof NodeEvents>(event: K, listener: (payload: NodeEvents[K]) => void): () => void;
  reload(): Promise<void>;
}
