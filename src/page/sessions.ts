import { isObject, type JsonObject } from "../kit/json.ts";
import { textIn } from "./conversation.ts";

/** A conversation in the list. */
export interface Row {
  readonly key: string;
  readonly title: string;
  /** Milliseconds since 1970; 0 where nothing was said yet. */
  readonly at: number;
  readonly isMain: boolean;
  readonly pinned: boolean;
  readonly archived: boolean;
  readonly unread: boolean;
  readonly running: boolean;
  /** The name that somebody gave it. */
  readonly label: string;
}

/** The sessions that are shown, and what was asked for. */
export interface SessionList {
  readonly rows: readonly Row[];
  readonly search: string;
  readonly archived: boolean;
  readonly hasMore: boolean;
}

export const emptyList: SessionList = { rows: [], search: "", archived: false, hasMore: false };

/** Reads an answer of `sessions.list`. */
export function withList(old: SessionList, answer: unknown): SessionList {
  if (!isObject(answer) || !Array.isArray(answer["sessions"])) return old;
  const rows = answer["sessions"].filter(isObject).map(rowOf);
  return { ...old, rows: sorted(rows), hasMore: answer["hasMore"] === true };
}

/** What `sessions.changed` makes of the list. A list of search results is asked for again instead: see `isStale`. */
export function withChange(old: SessionList, payload: unknown): SessionList {
  if (!isObject(payload)) return old;
  const { session, reason, sessionKey } = payload;
  if (reason === "delete") return { ...old, rows: old.rows.filter(({ key }) => key !== sessionKey) };
  if (!isObject(session)) return old;
  const row = rowOf(session);
  const others = old.rows.filter(({ key }) => key !== row.key);
  return { ...old, rows: row.archived === old.archived ? sorted([...others, row]) : others };
}

/** Whether only the gateway knows what a change does to this list. */
export function isStale({ search }: SessionList): boolean {
  return search !== "";
}

export function rowOf(row: JsonObject): Row {
  const key = textIn(row, "key");
  const isMain = row["isMain"] === true;
  const label = textIn(row, "label");
  const at = [row["lastInteractionAt"], row["updatedAt"]].find((each) => typeof each === "number");
  return {
    key,
    label,
    title: label || (isMain ? "Main" : textIn(row, "displayName") || textIn(row, "derivedTitle") || shortKey(key)),
    at: typeof at === "number" ? at : 0,
    isMain,
    pinned: row["pinned"] === true,
    archived: row["archived"] === true,
    unread: row["unread"] === true,
    running: row["hasActiveRun"] === true,
  };
}

/** `agent:main:dashboard:1b2c…` is a new chat; anything else is called what is behind its agent. */
function shortKey(key: string): string {
  const rest = key.replace(/^agent:[^:]*:/, "");
  return rest.startsWith("dashboard:") ? "New chat" : rest;
}

function sorted(rows: readonly Row[]): readonly Row[] {
  const rank = ({ isMain, pinned }: Row) => (pinned ? 2 : isMain ? 1 : 0);
  return [...rows].sort((a, b) => rank(b) - rank(a) || b.at - a.at || (a.key < b.key ? -1 : 1));
}
