import type { ConfigStore } from "../config/config.ts";
import type { Flavour } from "../host/flavour.ts";
import type { Surroundings } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import type { Logger } from "../kit/log.ts";
import type { Api, Provider, ToolSpec } from "../providers/provider.ts";
import type { Media } from "../session/media.ts";
import type { QueueSettings, SessionRow, Sessions } from "../session/sessions.ts";
import type { ModelObserver } from "../observe/observer.ts";
import type { Tool, ToolParts, ToolUser } from "../tools/tool.ts";
import type { Accounts } from "../model/accounts.ts";
import type { Budget } from "../budget/budget.ts";

/** Everything that running a conversation takes. */
export interface RunnerDeps {
  readonly host: Surroundings;
  readonly config: ConfigStore;
  readonly paths: Paths;
  readonly flavour: Flavour;
  readonly version: string;
  readonly log: Logger;
  readonly sessions: Sessions;
  readonly media: Media;
  readonly accounts: Accounts;
  readonly budget: Budget;
  readonly providers: Readonly<Record<Api, Provider>>;
  readonly tools: readonly Tool[];
  readonly toolSpecs: (tools: readonly Tool[]) => readonly ToolSpec[];
  /** The parts of the gateway that tools may use for somebody, beside files. */
  readonly toolParts?: ((user: ToolUser) => Promise<ToolParts>) | undefined;
  readonly fetch: typeof fetch;
  /** Told of each request to a model. */
  readonly observer?: ModelObserver | undefined;
  /** How a session queues what comes during a run, for its status card. */
  readonly queue?: ((row: SessionRow) => QueueSettings & { readonly depth: number }) | undefined;
}
