import type { Logger } from "../kit/log.ts";
import type { Usage } from "../session/message.ts";
import { type Line, linesOf, runsOf } from "../store/lines.ts";
import type { Log, Logs } from "../store/log.ts";
import { seal, unseal } from "../store/seal.ts";
import type { LedgerRow } from "./budget.ts";
import { addUp, createPairing, type LedgerRecord, lineOf, type Reserved, rowOf } from "./ledger-lines.ts";
import { shareLogs } from "./shared-logs.ts";

/**
 * What was reserved and spent, month by month in `usage/ledger-YYYY-MM.jsonl` (UTC). A reservation and the line that
 * settles it are in the same month. `usage/months.jsonl` lists the months, and what was spent in those that are closed,
 * so that their ledgers are read only when somebody asks for them.
 */
export interface Ledger {
  /** The months that have a ledger, oldest first, with what was spent in those that are closed. */
  readonly months: ReadonlyMap<string, Amount | undefined>;
  /** Appends to a month's ledger; resolves when it is on the disk. */
  append(month: string, record: LedgerRecord): Promise<void>;
  /** Gives every row of a month that is known to be spent, and answers what is still reserved, by id. */
  read(month: string, each: (row: LedgerRow) => void): Promise<ReadonlyMap<string, Reserved>>;
  /** Ends a month: its ledger becomes the sums of quarter hours. What was never settled counts in full. */
  close(month: string): Promise<Amount>;
  /** Reads the list of months again: another process wrote until now. */
  reload(): Promise<void>;
}

/** What was spent: US dollars, and tokens read and written. */
export interface Amount {
  readonly usd: number;
  readonly tokens: number;
}

export function createLedger(logs: Logs, log: Logger): Ledger {
  const files = shareLogs(logs);
  const beginnings = new Map<string, Promise<void>>();
  let months: ReadonlyMap<string, Amount | undefined> = new Map();

  async function note(month: string, spent?: Amount): Promise<void> {
    await files.using(MONTHS, (list) => list.append([seal({ month, ...spent })]));
    months = new Map([...months, [month, spent] as const].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Puts a month on the list before its ledger has a line; whoever comes meanwhile waits for the same. */
  function begin(month: string): Promise<void> {
    if (months.has(month)) return Promise.resolve();
    const begun = beginnings.get(month) ?? note(month).finally(() => beginnings.delete(month));
    beginnings.set(month, begun);
    return begun;
  }

  const ledger: Ledger = {
    get months() {
      return months;
    },
    async append(month, record) {
      await begin(month);
      await files.using(keyOf(month), (file) => file.append([lineOf(record)]));
    },
    async read(month, each) {
      const pairing = createPairing();
      await files.using(keyOf(month), (file) =>
        forEachLine(file, (line) => {
          const row = pairing.add(line);
          if (row) each(row);
        }),
      );
      if (pairing.damaged > 0)
        log.warn(`${keyOf(month)} has damaged lines: what they said was spent is not known`, {
          lines: pairing.damaged,
        });
      return pairing.open;
    },
    async close(month) {
      const rows = new Map<string, LedgerRow>();
      const add = (row: LedgerRow): void => addUp(rows, row, quarterOf(row.ts));
      const open = await ledger.read(month, add);
      for (const reserved of open.values()) add(rowOf(reserved, reserved.usage));
      const spent = [...rows.values()].map(({ usage }) => amountOf(usage)).reduce(plus, nothing);
      // The sums first: a month that is listed as closed holds nothing else.
      await logs.replace(
        keyOf(month),
        [...rows.values()].map((row) => lineOf({ type: "sum", ...row })),
      );
      await note(month, spent);
      return spent;
    },
    async reload() {
      const read = new Map<string, Amount | undefined>();
      await files.using(MONTHS, (list) =>
        forEachLine(list, (line) => {
          const found = readMonth(line);
          if (found) read.set(found.month, found.spent ?? read.get(found.month));
        }),
      );
      months = new Map([...read].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    },
  };
  return ledger;
}

/** The month of a time, in UTC: `2026-11`. */
export function monthOf(ts: number): string {
  return new Date(ts).toISOString().slice(0, 7);
}

/** The quarter of an hour that a time is in: time zones differ by those, so that their sums make up everybody's days. */
export function quarterOf(ts: number): number {
  return ts - (ts % QUARTER_MS);
}

export const nothing: Amount = { usd: 0, tokens: 0 };

export function plus(a: Amount, b: Amount): Amount {
  return { usd: a.usd + b.usd, tokens: a.tokens + b.tokens };
}

export function minus(a: Amount, b: Amount): Amount {
  return { usd: a.usd - b.usd, tokens: a.tokens - b.tokens };
}

export function amountOf({ totalTokens, cost }: Usage): Amount {
  return { usd: cost.total, tokens: totalTokens };
}

const MONTHS = "usage/months.jsonl";
const QUARTER_MS = 15 * 60_000;

function keyOf(month: string): string {
  return `usage/ledger-${month}.jsonl`;
}

async function forEachLine(log: Log, each: (line: Line) => void): Promise<void> {
  for await (const run of runsOf(log)) for (const line of linesOf(run)) each(line);
}

function readMonth(line: Line): { readonly month: string; readonly spent: Amount | undefined } | undefined {
  const record = unseal(line)?.record ?? {};
  const { month, usd, tokens } = record;
  if (typeof month !== "string" || !/^\d{4}-\d{2}$/.test(month)) return undefined;
  const spent = typeof usd === "number" && typeof tokens === "number" ? { usd, tokens } : undefined;
  return { month, spent };
}
