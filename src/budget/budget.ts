import type { Usage } from "../session/message.ts";

/** Keeps spending within what was allowed: reserved before a request, settled after it, over restarts too. */
export interface Budget {
  /**
   * Sets aside what the request may cost at most. Throws `rate-limited`, naming the budget, the limit and when it opens
   * again, when a hard limit would be passed. Resolves when the reservation is on the disk.
   */
  reserve(request: BudgetRequest): Promise<Reservation>;
  /** Totals of a period by day, agent, model and session, from the ledger. */
  totals(query: { since: number; until: number; agentId?: string; sessionKey?: string }): Promise<readonly LedgerRow[]>;
}

export interface BudgetRequest {
  readonly agentId: string;
  readonly sessionKey: string;
  readonly provider: string;
  readonly model: string;
  readonly maxUsage: Usage;
}

export interface Reservation {
  /** A soft limit that this request passes, for the person to be told once. */
  readonly warning?: string | undefined;
  /** What was really used; nothing at all when the request failed before it was answered. */
  settle(usage: Usage | undefined): Promise<void>;
}

export interface LedgerRow {
  readonly ts: number;
  readonly agentId: string;
  readonly sessionKey: string;
  readonly provider: string;
  readonly model: string;
  readonly usage: Usage;
  /** How many requests this row sums up; one when absent. */
  readonly requests?: number | undefined;
}
