import * as v from "valibot";
import type { App } from "../app.ts";
import { Failure } from "../kit/error.ts";
import { thinkingLevels, type ModelSpec, type ThinkingLevel } from "../providers/provider.ts";
import type { RowChanges, SessionRow } from "../session/sessions.ts";
import { sessionView, type ViewSource } from "./session-view.ts";

const text = v.pipe(v.string(), v.nonEmpty());
const label = v.pipe(text, v.maxLength(512));
const mark = v.pipe(v.string(), v.maxLength(512));

/**
 * What a client may change of a session, and the fields of the protocol that this gateway has nothing for: those are
 * named in order to be refused, because a person who sets a permission must not believe that it holds.
 */
export const patchParams = {
  label: v.pipe(v.optional(v.nullable(label)), v.description("A name that no other session of the agent has.")),
  icon: v.optional(v.nullable(mark)),
  color: v.optional(v.nullable(mark)),
  category: v.optional(v.nullable(label)),
  archived: v.optional(v.boolean()),
  pinned: v.optional(v.boolean()),
  unread: v.optional(v.boolean()),
  model: v.pipe(v.optional(v.nullable(text)), v.description("A reference or alias; null for the agent's own.")),
  thinkingLevel: v.pipe(v.optional(v.nullable(text)), v.description(`One of ${thinkingLevels.join(", ")}.`)),
  verboseLevel: v.optional(v.nullable(v.picklist(["off", "on", "full"]))),
  reasoningLevel: v.optional(v.nullable(v.picklist(["off", "on", "stream"]))),
  elevatedLevel: v.optional(v.nullable(v.picklist(["off", "on", "ask", "full"]))),
  responseUsage: v.optional(v.nullable(v.picklist(["off", "tokens", "full", "on"]))),
  sendPolicy: v.optional(v.nullable(v.picklist(["allow", "deny"]))),
  groupActivation: v.optional(v.nullable(v.picklist(["mention", "always"]))),
  ...refused([
    "boardFace",
    "statusNote",
    "attention",
    "contextWindow",
    "fastMode",
    "toolOverrides",
    "traceLevel",
    "execHost",
    "execSecurity",
    "execAsk",
    "execNode",
    "permissionMode",
    "completionOwnerSessionKey",
    "inheritedToolPolicyVersion",
    "inheritedToolAllow",
    "inheritedToolDeny",
  ]),
} as const;

export type SessionPatch = v.InferOutput<ReturnType<typeof patchSchema>>;
const patchSchema = () => v.object(patchParams);

/** Fields that need no more than `operator.write`; any other is an admin's to change (protocol.md 4.6). */
const everyday: ReadonlySet<string> = new Set<keyof SessionPatch>([
  "label",
  "icon",
  "color",
  "category",
  "archived",
  "pinned",
  "unread",
  "model",
  "thinkingLevel",
  "fastMode",
]);

/** The scope that a patch needs, by what it changes. */
export function patchScope(patch: object): "operator.write" | "operator.admin" {
  const changed = Object.keys(patch).filter((field) => field in patchParams);
  return changed.every((field) => everyday.has(field)) ? "operator.write" : "operator.admin";
}

/** Fields of the protocol that are refused when they ask for something: null, false and absence ask for nothing. */
export function refused<const F extends string>(fields: readonly F[]) {
  const schema = v.optional(
    v.custom<null | false>((value) => value === null || value === false, "is not supported by this gateway"),
  );
  return Object.fromEntries(fields.map((field) => [field, schema])) as Record<F, typeof schema>;
}

/** The session that is to be changed, or made. */
export type PatchTarget = Pick<SessionRow, "key" | "agentId"> & Partial<SessionRow>;

/**
 * What a patch makes of a row. Throws `invalid-request` for an unknown model, a level that the model does not have and
 * a label that is taken, before anything is changed.
 */
export function changesOf(app: ViewSource & Pick<App, "sessions">, row: PatchTarget, patch: SessionPatch): RowChanges {
  const now = app.clock.now();
  return {
    ...("label" in patch ? { label: freeLabel(app, row, patch.label) } : {}),
    ...("icon" in patch ? { icon: patch.icon ?? undefined } : {}),
    ...("color" in patch ? { color: patch.color ?? undefined } : {}),
    ...("category" in patch ? { category: patch.category ?? undefined } : {}),
    ...(patch.archived === undefined ? {} : { archivedAt: patch.archived ? (row.archivedAt ?? now) : undefined }),
    ...(patch.pinned === undefined ? {} : { pinnedAt: patch.pinned ? (row.pinnedAt ?? now) : undefined }),
    ...(patch.unread === undefined ? {} : patch.unread ? { markedUnreadAt: now } : read(now)),
    ...modelChanges(app, row, patch),
    ...("verboseLevel" in patch ? { verboseLevel: patch.verboseLevel ?? undefined } : {}),
    ...("reasoningLevel" in patch ? { reasoningLevel: patch.reasoningLevel ?? undefined } : {}),
    ...("elevatedLevel" in patch ? { elevatedLevel: patch.elevatedLevel ?? undefined } : {}),
    ...("responseUsage" in patch ? { responseUsage: usageOf(patch.responseUsage) } : {}),
    ...("sendPolicy" in patch ? { sendPolicy: patch.sendPolicy ?? undefined } : {}),
    ...("groupActivation" in patch ? { groupActivation: patch.groupActivation ?? undefined } : {}),
  };
}

function read(now: number): RowChanges {
  return { markedUnreadAt: undefined, lastReadAt: now };
}

/** `on` is an older word for the token counts. */
function usageOf(value: SessionPatch["responseUsage"]): SessionRow["responseUsage"] {
  return value === "on" ? "tokens" : (value ?? undefined);
}

function freeLabel(
  { sessions }: Pick<App, "sessions">,
  { key, agentId }: PatchTarget,
  label: string | null | undefined,
): string | undefined {
  const wanted = label?.trim();
  if (wanted === undefined) return undefined;
  if (wanted === "") throw new Failure("invalid-request", "invalid label: empty");
  const same = sessions.list({
    agentId,
    label: wanted,
    archived: "all",
    includeGlobal: true,
    includeUnknown: true,
    limit: 1,
    where: (row) => row.key !== key && row.label === wanted,
  });
  if (same.total > 0) throw new Failure("conflict", `label already in use: ${wanted}`);
  return wanted;
}

function modelChanges(app: ViewSource, row: PatchTarget, patch: SessionPatch): RowChanges {
  const model = "model" in patch ? chosenModel(app, row, patch.model) : {};
  const { modelProvider, model: id, thinkingLevels: levels } = sessionView(app).resolved({ ...row, ...model });
  const known = (level: string | undefined) => levels.find((each) => each === level);
  if (patch.thinkingLevel === undefined || patch.thinkingLevel === null) {
    // A level that the new model does not have falls back to its own.
    const keep = patch.thinkingLevel === null ? undefined : known(row.thinkingLevel);
    return "model" in patch || "thinkingLevel" in patch ? { ...model, thinkingLevel: keep } : {};
  }
  const wanted = patch.thinkingLevel.trim().toLowerCase();
  const level = known(["max", "highest"].includes(wanted) ? "high" : wanted);
  if (level !== undefined) return { ...model, thinkingLevel: level };
  throw new Failure(
    "invalid-request",
    `invalid thinkingLevel "${patch.thinkingLevel}" for ${modelProvider}/${id} (use ${levels.join("|") || "none"})`,
  );
}

function chosenModel(app: ViewSource, row: PatchTarget, reference: string | null | undefined): RowChanges {
  if (reference === null || reference === undefined || reference.trim().toLowerCase() === "default") return ownModel;
  const { provider, id } = allowedModel(app, reference);
  const own = sessionView(app).defaults(row.agentId);
  if (own.modelProvider === provider && own.model === id) return ownModel;
  return {
    providerOverride: provider,
    modelOverride: id,
    modelOverrideSource: "user",
    // A credential belongs to its provider.
    ...(row.providerOverride === provider ? {} : { authProfileOverride: undefined }),
  };
}

const ownModel: RowChanges = {
  providerOverride: undefined,
  modelOverride: undefined,
  modelOverrideSource: undefined,
  authProfileOverride: undefined,
};

/** The model that a client names, when there is one and it may be chosen. */
export function allowedModel({ accounts }: Pick<App, "accounts">, reference: string): ModelSpec {
  const model = accounts.find(reference.trim());
  if (!model) {
    throw new Failure("invalid-request", `unknown model "${reference}": models.list has those that can be chosen`);
  }
  if (accounts.allowed(model)) return model;
  throw new Failure("invalid-request", `model not allowed: ${model.provider}/${model.id} (agents.defaults.models)`);
}

/** A thinking level in any spelling that people use; throws `invalid-request` for any other word. */
export function thinkingOf(written: string | undefined): ThinkingLevel | undefined {
  if (written === undefined || written.trim() === "") return undefined;
  const word = written.trim().toLowerCase();
  const level = thinkingLevels.find((each) => each === (["max", "highest"].includes(word) ? "high" : word));
  if (level) return level;
  throw new Failure("invalid-request", `invalid thinking "${written}" (use ${thinkingLevels.join("|")})`);
}
