import { isObject, type JsonObject } from "../kit/json.ts";
import { noUsage, type Usage } from "../session/message.ts";
import { seal, unseal } from "../store/seal.ts";
import type { LedgerRow } from "./budget.ts";
import { addUsage } from "../session/message.ts";

/** A line of the ledger. Times are milliseconds since 1970. */
export type LedgerRecord =
  /** What a request may cost at most, before it is sent. */
  | ({ readonly type: "reserve"; readonly id: string } & LedgerRow)
  /** What it did cost, null for nothing; `lost` when its process ended before anyone knew, and all of it counts. */
  | {
      readonly type: "settle";
      readonly id: string;
      readonly ts: number;
      readonly usage: Usage | null;
      readonly lost?: true;
    }
  /** Several requests of a month that is over. */
  | ({ readonly type: "sum" } & LedgerRow);

type SealedLine = Parameters<typeof unseal>[0];

export type Reserved = Extract<LedgerRecord, { type: "reserve" }>;

/** Pairs what was reserved with what it came to. */
export interface Pairing {
  /** Takes the next line; answers a row when something is known to be spent by it. Damaged lines are counted. */
  add(line: SealedLine): LedgerRow | undefined;
  /** Reservations that were not settled yet, by id. */
  readonly open: ReadonlyMap<string, Reserved>;
  readonly damaged: number;
}

export function createPairing(): Pairing {
  const open = new Map<string, Reserved>();
  /** Settled by a line that came before the reservation's: nobody waited for either. */
  const early = new Map<string, Usage | null>();
  let damaged = 0;
  const spentBy = (reserved: Reserved, usage: Usage | null): LedgerRow | undefined =>
    usage ? rowOf(reserved, usage) : undefined;
  return {
    open,
    get damaged() {
      return damaged;
    },
    add(line) {
      const record = readLine(line);
      if (record?.type === "sum") return rowOf(record, record.usage);
      if (record?.type === "settle") {
        const reserved = open.get(record.id);
        if (!open.delete(record.id)) early.set(record.id, record.usage);
        return reserved && spentBy(reserved, record.usage);
      }
      if (!record) damaged++;
      else if (early.has(record.id)) {
        const usage = early.get(record.id) ?? null;
        early.delete(record.id);
        return spentBy(record, usage);
      } else open.set(record.id, record);
      return undefined;
    },
  };
}

export function lineOf(record: LedgerRecord): string {
  return seal({ ...record });
}

/** A reservation as a row, with what the request came to. */
export function rowOf({ ts, agentId, sessionKey, provider, model, requests }: LedgerRow, usage: Usage): LedgerRow {
  return { ts, agentId, sessionKey, provider, model, usage, requests: requests ?? 1 };
}

function readLine(line: SealedLine): LedgerRecord | undefined {
  const record = unseal(line)?.record;
  if (!record) return undefined;
  const { type, id, ts, agentId, sessionKey, provider, model, requests } = record;
  if (typeof ts !== "number" || !Number.isFinite(ts)) return undefined;
  const usage = isObject(record["usage"]) ? readUsage(record["usage"]) : null;
  if (type === "settle") return isText(id) ? { type, id, ts, usage } : undefined;
  if (!isText(agentId) || !isText(sessionKey) || !isText(provider) || !isText(model) || !usage) return undefined;
  const row = { ts, agentId, sessionKey, provider, model, usage };
  if (type === "sum") return { type, ...row, requests: amount(requests) };
  return type === "reserve" && isText(id) ? { type, id, ...row } : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function readUsage(counts: JsonObject): Usage {
  const cost: JsonObject = isObject(counts["cost"]) ? counts["cost"] : {};
  return {
    input: amount(counts["input"]),
    output: amount(counts["output"]),
    cacheRead: amount(counts["cacheRead"]),
    cacheWrite: amount(counts["cacheWrite"]),
    totalTokens: amount(counts["totalTokens"]),
    cost: {
      input: amount(cost["input"]),
      output: amount(cost["output"]),
      cacheRead: amount(cost["cacheRead"]),
      cacheWrite: amount(cost["cacheWrite"]),
      total: amount(cost["total"]),
    },
  };
}

/** Nothing is ever earned: what is not a positive number counts as none. */
function amount(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

/** Adds a row to the one of the same time, agent, session and model, at the time given. */
export function addUp(rows: Map<string, LedgerRow>, row: LedgerRow, ts: number): void {
  const { agentId, sessionKey, provider, model, usage, requests = 1 } = row;
  const key = JSON.stringify([ts, agentId, sessionKey, provider, model]);
  const old = rows.get(key);
  const sum = { usage: addUsage(old?.usage ?? noUsage, usage), requests: (old?.requests ?? 0) + requests };
  rows.set(key, { ts, agentId, sessionKey, provider, model, ...sum });
}
