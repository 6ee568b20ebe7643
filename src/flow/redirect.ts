import type { App } from "../app.ts";
import { Failure } from "../kit/error.ts";
import { rowAtEnd } from "../session/row-at-end.ts";
import type { SessionRow } from "../session/sessions.ts";
import type { Transcript } from "../session/transcript.ts";
import { addressOfAgent } from "./address.ts";

/** The session that a client names, which must be there. */
export function sessionOf(app: Pick<App, "config" | "sessions">, written: string, agentId?: string): SessionRow {
  const row = app.sessions.get(addressOfAgent(app, written, agentId).key);
  if (row) return row;
  throw new Failure("not-found", `No session found: ${written}`);
}

/** Rejects with `conflict` while the session answers: what leads its conversation elsewhere would cut that off. */
export function refuseWhileAnswering({ turns }: Pick<App, "turns">, key: string): void {
  if (turns.active(key))
    throw new Failure("conflict", `${key} is answering: wait for the answer, or stop it with sessions.abort`);
}

/** Has a session's conversation end elsewhere, between its runs; the row follows, and whoever watches is told why. */
export function redirect<T>(
  { turns, sessions }: Pick<App, "turns" | "sessions">,
  key: string,
  { reason, lead }: { readonly reason: string; readonly lead: (transcript: Transcript, row: SessionRow) => Promise<T> },
): Promise<T> {
  return turns.exclusive(key, async () => {
    // Looked up now: the conversation may be another one than when this was asked for.
    const row = sessions.get(key);
    if (!row) throw new Failure("not-found", `No session found: ${key}`);
    const transcript = sessions.transcript(row);
    const led = await lead(transcript, row);
    const changes = await rowAtEnd(row, transcript);
    await sessions.change(key, () => changes, reason);
    return led;
  });
}
