import type { Accounts } from "../../model/accounts.ts";
import type { Budget } from "../../budget/budget.ts";
import type { PromptReport } from "../../agent/prompt.ts";
import type { Runner } from "../../agent/runner.ts";
import type { ConfigStore } from "../../config/config.ts";
import type { Flavour } from "../../host/flavour.ts";
import type { Clock } from "../../host/host.ts";
import type { Scope } from "../../protocol/scope.ts";
import type { ThinkingLevel } from "../../providers/provider.ts";
import type { QueueSettings, SessionRow, Sessions } from "../../session/sessions.ts";
import type { TurnInput } from "../turns.ts";

/** A command that a person writes as a message, such as `/think high`. */
export interface SlashCommand {
  /** Without the slash. */
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** What it is about: lists are grouped by it. */
  readonly category: "session" | "options" | "status" | "management";
  /** What may follow, such as `off|low|high`; absent when it stands alone, and with more text is no command. */
  readonly usage?: string;
  /**
   * What the sender must be allowed to do: the same as for the method with the same effect, or it would be a way around
   * that (threat F). A function where what follows the command decides.
   */
  readonly scope: Scope | ((args: string) => Scope);
  /** It reaches no further than the session it is written in: who is trusted there may give it whatever its scope. */
  readonly sessionOnly?: true;
  /** Waits until no run of the session goes on. Any other is answered at once, in the middle of a run too. */
  readonly exclusive?: boolean;
  /** Ends the session's run and what waits behind it first, as a new beginning does. */
  readonly interrupts?: boolean;
  run(call: SlashCall): Promise<SlashOutcome>;
}

export interface SlashCall {
  /** What followed the command, trimmed. */
  readonly args: string;
  readonly row: SessionRow;
  readonly input: TurnInput;
  readonly context: SlashContext;
  readonly signal: AbortSignal;
}

/** What commands are given. */
export interface SlashContext {
  readonly config: ConfigStore;
  readonly clock: Clock;
  readonly flavour: Flavour;
  readonly version: string;
  readonly sessions: Sessions;
  readonly accounts: Accounts;
  readonly budget: Budget;
  readonly runner: Runner;
  /** The queue settings in force for this session, and how many messages wait in it. */
  queue(row: SessionRow): QueueSettings & { readonly depth: number };
  /** What the system prompt of the session's next run is made of; undefined where nobody can say. */
  promptReport(row: SessionRow): Promise<PromptReport | undefined>;
  /** Ends the session's run and what waits behind it; answers the run ids. */
  abort(sessionKey: string): Promise<readonly string[]>;
}

export interface SlashOutcome {
  /** Shown to the person, and kept from the model. */
  readonly reply?: string;
  /** What goes on to the model, when something is left to be said to it. */
  readonly run?: string;
  /** For that run alone. */
  readonly thinking?: ThinkingLevel;
  readonly model?: string;
}
