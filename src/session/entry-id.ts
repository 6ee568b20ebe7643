import { crc32 } from "../kit/crc32.ts";

/** The ids of one transcript's entries: each follows from the entry's place in the file, and the place from the id. */
export interface EntryIds {
  /** 8 hex digits; no two places have the same. */
  idOf(seq: number): string;
  /** The place whose id this is, if the id was made here. */
  seqOf(id: string): number;
}

/** Ids differ from session to session: `sessionId` is mixed in. */
export function entryIds(sessionId: string): EntryIds {
  const salt = crc32(new TextEncoder().encode(sessionId));
  return {
    idOf: (seq) => ((Math.imul(seq, FACTOR) ^ salt) >>> 0).toString(16).padStart(8, "0"),
    seqOf: (id) => Math.imul(Number.parseInt(id, 16) ^ salt, INVERSE) >>> 0,
  };
}

export function isEntryId(text: string): boolean {
  return /^[0-9a-f]{8}$/.test(text);
}

/** An odd factor makes a one-to-one map of 32-bit numbers; this is the one that undoes it (modulo 2^32). */
const FACTOR = 0x9e3779b1;
const INVERSE = 0x0e8b2f51;
