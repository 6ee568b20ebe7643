import * as v from "valibot";
import type { App } from "../app.ts";
import { addressOf } from "../flow/address.ts";
import { agentParam, keyParam, textParam } from "../flow/params.ts";
import { Failure } from "../kit/error.ts";
import type { SessionRow } from "../session/sessions.ts";
import { method } from "./method.ts";

const candidate = v.object({ key: v.string(), agentId: v.string(), displayName: v.optional(v.string()) });

/** Candidates that an answer names when what was asked for fits several. */
const maxCandidates = 10;

export const sessionResolveMethods = [
  method({
    name: "sessions.resolve",
    scope: "operator.read",
    summary: "The key of the session that a key, a session id, a label or the beginning of an id means.",
    params: () =>
      v.object({
        key: v.optional(keyParam),
        sessionId: v.optional(textParam),
        label: v.optional(v.pipe(textParam, v.maxLength(512))),
        shortId: v.pipe(v.optional(textParam), v.description("The first characters of a session id.")),
        slugHint: v.pipe(v.optional(textParam), v.description("Words of the title, to choose among several.")),
        agentId: agentParam,
        spawnedBy: v.optional(textParam),
        includeGlobal: v.optional(v.boolean()),
        includeUnknown: v.optional(v.boolean()),
        allowMissing: v.optional(v.boolean()),
      }),
    result: () =>
      v.union([
        v.object({ ok: v.literal(true), ...candidate.entries }),
        v.object({ ok: v.literal(false), candidates: v.optional(v.array(candidate)) }),
      ]),
    run({ app, params }) {
      const found = resolve(app, params);
      const [only] = found;
      if (only && found.length === 1) return { ok: true as const, ...named(only) };
      const asked = params.key ?? params.sessionId ?? params.label ?? params.shortId ?? "";
      if (found.length > 1) {
        if (params.allowMissing) return { ok: false as const, candidates: found.slice(0, maxCandidates).map(named) };
        const keys = found.slice(0, maxCandidates).map(({ key }) => key);
        throw new Failure("conflict", `Multiple sessions found: ${asked} (${keys.join(", ")})`);
      }
      if (params.allowMissing) return { ok: false as const };
      throw new Failure("not-found", `No session found: ${asked}`);
    },
  }),
] as const;

interface Wanted {
  readonly key?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly label?: string | undefined;
  readonly shortId?: string | undefined;
  readonly slugHint?: string | undefined;
  readonly agentId?: string | undefined;
  readonly spawnedBy?: string | undefined;
  readonly includeGlobal?: boolean | undefined;
  readonly includeUnknown?: boolean | undefined;
}

/** The sessions that fit, a few at most; exactly one thing may be asked for. */
function resolve(app: App, wanted: Wanted): readonly SessionRow[] {
  const { key, sessionId, label, shortId, agentId, spawnedBy, slugHint } = wanted;
  const given = [key, sessionId, label, shortId].filter((each) => each !== undefined);
  if (given.length !== 1) {
    throw new Failure("invalid-request", "give exactly one of key, sessionId, label and shortId");
  }
  const fits = (row: SessionRow | undefined): row is SessionRow =>
    row !== undefined &&
    (agentId === undefined || row.agentId === agentId) &&
    (spawnedBy === undefined || row.spawnedBy === spawnedBy);
  if (key !== undefined) {
    const row = app.sessions.get(addressOf(app, key, agentId).key) ?? app.sessions.bySessionId(key.trim());
    return [row].filter(fits);
  }
  if (sessionId !== undefined) return [app.sessions.bySessionId(sessionId)].filter(fits);
  const { includeGlobal, includeUnknown } = wanted;
  const { rows } = app.sessions.list({
    agentId,
    spawnedBy,
    label,
    includeGlobal,
    includeUnknown,
    archived: "all",
    limit: 100,
    where: (row) => (label === undefined ? row.sessionId.startsWith(shortId ?? "") : row.label === label),
  });
  const hinted = slugHint === undefined ? [] : rows.filter((row) => slugOf(row).includes(slug(slugHint)));
  return hinted.length > 0 ? hinted : rows;
}

function slugOf({ label = "", displayName = "", derivedTitle = "" }: SessionRow): string {
  return slug(`${label} ${displayName} ${derivedTitle}`);
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-|-$/g, "");
}

function named({ key, agentId, displayName, label, derivedTitle }: SessionRow): v.InferInput<typeof candidate> {
  const name = displayName ?? label ?? derivedTitle;
  return { key, agentId, ...(name === undefined ? {} : { displayName: name }) };
}
