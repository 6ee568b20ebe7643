import type { Accounts } from "./model/accounts.ts";
import type { Budget } from "./budget/budget.ts";
import type { Runner } from "./agent/runner.ts";
import type { ConfigStore } from "./config/config.ts";
import type { Cron } from "./cron/cron.ts";
import type { HeartbeatSettings } from "./cron/heartbeat-settings.ts";
import type { SystemEvents } from "./cron/system-events.ts";
import type { Networks } from "./flow/networks.ts";
import type { Outbox } from "./flow/outbox.ts";
import type { RestartNote } from "./flow/restart-notes.ts";
import type { Turns } from "./flow/turns.ts";
import type { Clock, Surroundings } from "./host/host.ts";
import type { Flavour } from "./host/flavour.ts";
import type { Paths } from "./host/paths.ts";
import type { Logger } from "./kit/log.ts";
import type { Exposition } from "./kit/exposition.ts";
import type { Nodes } from "./nodes/registry.ts";
import type { Devices } from "./pairing/devices.ts";
import type { Identity } from "./pairing/identity.ts";
import type { Senders } from "./pairing/senders.ts";
import type { Caller, User } from "./protocol/caller.ts";
import type { EventName, EventPayload } from "./protocol/events.ts";
import type { Page } from "./routes/page-files.ts";
import type { Media } from "./session/media.ts";
import type { Sessions } from "./session/sessions.ts";
import type { ToolParts, ToolUser } from "./tools/tool.ts";
import type { Uploads } from "./store/uploads.ts";

/** What methods are given: the running gateway without its sockets. Types only. */
export interface App {
  readonly host: Surroundings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly flavour: Flavour;
  readonly paths: Paths;
  readonly info: GatewayInfo;
  readonly config: ConfigStore;
  readonly identity: Identity;
  readonly devices: Devices;
  readonly senders: Senders;
  readonly nodes: Nodes;
  readonly sessions: Sessions;
  readonly media: Media;
  readonly uploads: Uploads;
  readonly accounts: Accounts;
  readonly budget: Budget;
  readonly runner: Runner;
  readonly turns: Turns;
  /** The parts of the gateway that tools may use for an agent, beside files. */
  readonly toolParts: (user: ToolUser) => Promise<ToolParts>;
  /** The chat networks, and the messages on their way to them. */
  readonly networks: Networks;
  readonly outbox: Outbox;
  readonly presence: Presence;
  readonly health: Health;
  readonly heartbeat: Heartbeat;
  /** Scheduled jobs, and what sessions are to be told with their next turn. */
  readonly cron: Cron;
  readonly systemEvents: Pick<SystemEvents, "add" | "waiting">;
  /** The connections that are past their hello. */
  readonly connections: Connections;
  /** Sends an event to every connection that may see it (protocol.md 4.7), or to those of them that `only` picks. */
  broadcast<N extends EventName>(event: N, payload: EventPayload<N>, only?: (connection: Connection) => boolean): void;
  /** The metrics as text; absent where the configuration has none. */
  readonly metrics?: ((format: Exposition) => string) | undefined;
  /** The files of the web page; absent where there is none. */
  readonly page?: (() => Promise<Page>) | undefined;
  /** Names of the methods that `hello-ok` advertises. */
  methodNames(): readonly string[];
  eventNames(): readonly string[];
  /** Asks for a restart in this process; absent where that is somebody else's. */
  readonly restart?: ((reason: string) => void) | undefined;
  /** Has a session told when a restart is over; resolves when that is on the disk. */
  tellAfterRestart(note: RestartNote): Promise<void>;
}

export interface GatewayInfo {
  readonly version: string;
  readonly bootId: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly port: number;
  readonly bind: string;
  readonly authMode: "none" | "token" | "password" | "trusted-proxy";
  /** The process that owns the state directory when this one only stands by (cli.md 10.2). */
  owner(): { readonly pid: number; readonly port?: number } | undefined;
}

/** One live connection, as methods may use it. */
export interface Connection {
  readonly caller: Caller;
  readonly connectedAt: number;
  /** Topics this connection asked for, such as `sessions` or `messages:<key>`. */
  readonly subscriptions: Set<string>;
  /** Sends an event to this connection alone, without a sequence number. */
  push<N extends EventName>(event: N, payload: EventPayload<N>): void;
  close(code: number, reason: string): void;
}

export interface Connections {
  all(): Iterable<Connection>;
  /** Closes the connections that `which` picks. */
  close(which: (connection: Connection) => boolean, code: number, reason: string): void;
  count(): number;
}

/** An entry of `system-presence` (protocol.md 7). */
export interface PresenceEntry {
  readonly ts: number;
  readonly text: string;
  readonly host?: string | undefined;
  readonly ip?: string | undefined;
  readonly version?: string | undefined;
  readonly platform?: string | undefined;
  readonly deviceFamily?: string | undefined;
  readonly modelIdentifier?: string | undefined;
  readonly mode?: string | undefined;
  readonly reason?: string | undefined;
  readonly deviceId?: string | undefined;
  /** The person whom a trusted proxy or Tailscale vouches for. */
  readonly user?: User | undefined;
  readonly instanceId?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly clientId?: string | undefined;
  readonly onlineSince?: number | undefined;
  readonly timeZone?: string | undefined;
  readonly lastInputSeconds?: number | undefined;
  readonly tags?: readonly string[] | undefined;
}

export interface Presence {
  readonly version: number;
  /** The gateway itself first, then clients, newest first; capped. */
  list(): readonly PresenceEntry[];
  /** Adds or replaces the entry of this key and tells everyone who may see it. */
  set(key: string, entry: PresenceEntry): void;
  /** A client came or went: its entry is made from what the server knows of it. */
  client(caller: Caller, reason: "connect" | "disconnect"): void;
}

/** A part of the gateway and how it fares; `failed` and `disabled` say why. */
export interface PartState {
  readonly part: string;
  readonly state: "ok" | "starting" | "degraded" | "disabled" | "failed";
  readonly reason?: string | undefined;
  /** Where people find it. */
  readonly url?: string | undefined;
}

export interface Health {
  readonly version: number;
  /** The `health` payload (protocol.md 7). */
  snapshot(): HealthSnapshot;
  /** The same as JSON text, made once per change. */
  json(): string;
  parts(): readonly PartState[];
  setPart(part: PartState): void;
}

export type HealthSnapshot = Readonly<Record<string, unknown>> & { readonly ok: boolean; readonly ts: number };

export interface Heartbeat {
  /** The last `heartbeat` event; null when there was none. */
  last(): Readonly<Record<string, unknown>> | null;
  enabled: boolean;
  /** Each agent's, as the configuration is now. */
  settings(): readonly HeartbeatSettings[];
  /** Has a session told what waits for it as soon as it is free. */
  wake(sessionKey: string): void;
}
