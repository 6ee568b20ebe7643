import type { ConfigStore } from "../config/config.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { randomHex } from "../kit/ids.ts";
import type { Logger } from "../kit/log.ts";
import { noUsage } from "../session/message.ts";
import type { Logs } from "../store/log.ts";
import type { Budget, LedgerRow } from "./budget.ts";
import { checkBudget, type Warning } from "./budget-check.ts";
import { type BudgetName, isLimited, type Limits, limitsOf } from "./budget-limits.ts";
import { amountOf, createLedger, minus, monthOf, nothing, quarterOf } from "./ledger.ts";
import { addUp, type LedgerRecord, type Reserved } from "./ledger-lines.ts";
import { createSums, startOfDay, type Sums } from "./sums.ts";

export interface BudgetOptions {
  readonly logs: Logs;
  readonly config: ConfigStore;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface OpenBudget extends Budget {
  /** Begins to read the ledger, for which whoever reserves first would have to wait else. */
  start(): void;
  /** Reads everything again: another process owned the state until now. */
  reload(): Promise<void>;
  /** Resolves when everything that is known is on the disk, as far as it can be. */
  close(): Promise<void>;
}

/**
 * Budgets over a ledger (`agents.defaults.budget`), which is read when it is first needed; whoever reserves waits for
 * that. Without limits nobody waits for the disk: then the ledger only tells what was spent. With limits a request whose
 * reservation cannot be written, or whose ledger cannot be read, is refused.
 */
export async function openBudget({ logs, config, clock, log }: BudgetOptions): Promise<OpenBudget> {
  const ledger = createLedger(logs, log);
  /** Reservations of this process that are not settled. */
  const mine = new Map<string, Reserved>();
  const writing = new Set<Promise<void>>();
  const warned = new Set<string>();
  let isTold = false;
  /** How many times the ledgers are being read: nothing is counted and nothing written meanwhile. */
  let reading = 0;
  const isReading = (): boolean => reading > 0;
  let loading: Promise<Sums> | undefined;
  const loaded = (): Promise<Sums> => (loading ??= load(wantsSessions()));

  function wantsSessions(): boolean {
    const { value } = config.current();
    return isLimited(value.agents.defaults.budget.session);
  }

  /** Adds up the ledgers. A reservation that its process left unsettled counts in full, and is noted so once. */
  function load(withSessions: boolean): Promise<Sums> {
    reading++;
    const sums = addUpLedgers(withSessions).finally(() => void reading--);
    sums.catch(() => undefined); // whoever needs them is told
    return sums;
  }

  async function addUpLedgers(withSessions: boolean): Promise<Sums> {
    await Promise.all(writing); // and nothing is written until the sums are there
    await ledger.reload();
    const now = clock.now();
    const thisMonth = monthOf(now);
    // Asked only where it matters: the first local time of a process takes it several milliseconds and megabytes.
    const isBeforeToday = (month: string): boolean => month < monthOf(startOfDay(now));
    const sums = createSums(withSessions);
    const unseen = new Set(mine.keys());
    for (const [month, spent] of new Map([[thisMonth, undefined], ...ledger.months])) {
      if (spent && !withSessions && isBeforeToday(month)) {
        sums.addOld(spent);
        continue;
      }
      const open = await ledger.read(month, (row) => sums.add(row, amountOf(row.usage)));
      for (const reserved of open.values()) sums.add(reserved, amountOf(reserved.usage));
      for (const id of open.keys()) unseen.delete(id);
      const lost = [...open.values()].filter(({ id }) => !mine.has(id));
      await tidy(month, { isOver: month < thisMonth && !spent && lost.length === open.size, lost });
    }
    // Not on the disk yet.
    for (const id of unseen) {
      const reserved = mine.get(id);
      if (reserved) sums.add(reserved, amountOf(reserved.usage));
    }
    return sums;
  }

  async function tidy(month: string, { isOver, lost }: { isOver: boolean; lost: readonly Reserved[] }): Promise<void> {
    try {
      if (isOver) await ledger.close(month);
      else
        for (const { id, usage } of lost)
          await ledger.append(month, { type: "settle", id, ts: clock.now(), usage, lost: true });
      if (lost.length > 0)
        log.warn("requests to models were cut off by the end of the process: they count in full", {
          requests: lost.length,
          usd: lost.reduce((sum, { usage }) => sum + usage.cost.total, 0),
        });
    } catch (error) {
      // While another process owns the state these reservations are its own; else the next start tries again.
      log.debug("the ledger was left as it is", { month, error });
    }
  }

  /** The sums as they are now, read again when they could not be read, or when sessions are limited since. */
  async function currentSums(limits: Limits, mayRetry = true): Promise<Sums> {
    const seen = loaded();
    const needsSessions = isLimited(limits.session);
    try {
      const sums = await seen;
      if (seen !== loading) return await currentSums(limits);
      if (sums.countsSessions || !needsSessions) return sums;
    } catch (error) {
      if (!mayRetry) throw error;
    }
    if (seen === loading) loading = load(needsSessions);
    return currentSums(limits, false);
  }

  /** Resolves when nothing is being read, with the sums if they could be. */
  async function idle(): Promise<Sums | undefined> {
    const seen = loaded();
    const sums = await seen.catch(() => undefined);
    return seen === loading ? sums : idle();
  }

  /** Writes a line. A failure is told in the log even when the caller does not wait. */
  function write(month: string, record: LedgerRecord): Promise<void> {
    const written = ledger.append(month, record);
    const over = written.then(
      () => void (isTold = false),
      (error: unknown) => {
        if (!isTold) log.warn("what models cost could not be written to the ledger", { error });
        isTold = true;
      },
    );
    writing.add(over);
    void over.then(() => writing.delete(over));
    return written;
  }

  function tellOnce(warnings: readonly Warning[]): string | undefined {
    const untold = warnings.filter(({ key }) => !warned.has(key));
    for (const { key } of untold) warned.add(key);
    for (const key of warned) if (warned.size > MOST_WARNED) warned.delete(key);
    return untold.length === 0 ? undefined : untold.map(({ text }) => text).join(" ");
  }

  return {
    async reserve(request) {
      const limits = limitsOf(config.current());
      const isHeld = budgetNames.some((name) => isLimited(limits[name]));
      let sums: Sums;
      do
        sums = await currentSums(limits).catch((error: unknown) => {
          if (isHeld) throw unreadable(error);
          return createSums(false); // nothing depends on them
        });
      while (isReading());
      const { agentId, sessionKey, provider, model, maxUsage: usage } = request;
      const now = clock.now();
      const month = monthOf(now);
      const id = randomHex(8);
      const reserved: Reserved = { type: "reserve", id, ts: now, agentId, sessionKey, provider, model, usage };
      const most = amountOf(usage);
      const warnings = checkBudget({ limits, request, most, now, spent: (name) => sums.spent(name, reserved) });

      // Counted before it is written: whoever comes meanwhile finds it set aside.
      sums.add(reserved, most);
      mine.set(id, reserved);
      const written = write(month, reserved);
      if (isHeld)
        try {
          await written;
        } catch (error) {
          mine.delete(id);
          sums.add(reserved, minus(nothing, most));
          throw unwritable(error);
        }
      return {
        warning: tellOnce(warnings),
        async settle(used) {
          if (!mine.has(id)) return;
          let latest: Sums | undefined;
          do latest = await idle();
          while (isReading());
          if (!mine.delete(id)) return;
          latest?.add(reserved, minus(amountOf(used ?? noUsage), most));
          const settled = write(month, { type: "settle", id, ts: clock.now(), usage: used ?? null });
          // What could not be written counts in full after a restart: too much, and never too little.
          if (isHeld) await settled.catch(() => undefined);
        },
      };
    },
    async totals({ since, until, agentId, sessionKey }) {
      await idle();
      await Promise.all(writing);
      const rows = new Map<string, LedgerRow>();
      const isLong = Math.min(until, clock.now()) - since > FINE_MS;
      const timeOf = isLong ? (ts: number) => startOfDay(ts) : quarterOf;
      const [first, last] = [monthOf(Math.max(since, 0)), monthOf(Math.min(until, clock.now()))];
      const months = [...ledger.months.keys()].filter((month) => month >= first && month <= last);
      for (const month of months)
        await ledger.read(month, (row) => {
          if (row.ts < since || row.ts >= until) return;
          if (agentId !== undefined && row.agentId !== agentId) return;
          if (sessionKey === undefined || row.sessionKey === sessionKey) addUp(rows, row, timeOf(row.ts));
        });
      return [...rows.values()].toSorted((a, b) => a.ts - b.ts);
    },
    start: () => void loaded(),
    async reload() {
      if (loading) await idle();
      loading = load(wantsSessions());
      await loading;
    },
    async close() {
      if (loading) await idle();
      await Promise.all(writing);
    },
  };
}

const budgetNames = ["install", "day", "agent", "session"] as const satisfies readonly BudgetName[];
/** Rows of a longer period are sums of days, not of quarter hours. */
const FINE_MS = 35 * 24 * 60 * 60_000;
/** Warnings that were given are remembered up to here, the oldest forgotten first. */
const MOST_WARNED = 10_000;

function unreadable(error: unknown): Failure {
  return new Failure(
    "unavailable",
    `what was spent so far could not be read, so that no budget can be kept: ${Failure.from(error).message}`,
    { cause: error },
  );
}

function unwritable(error: unknown): Failure {
  return new Failure(
    "unavailable",
    `the request was not sent, as what it may cost could not be set aside: ${Failure.from(error).message}`,
    { cause: error },
  );
}
