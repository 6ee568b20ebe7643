import { agentOfKey } from "./key.ts";
import type { QueueMode, SessionRow } from "./sessions.ts";

/** What a row alone does not know: its model with the defaults filled in, what runs now, and what was asked for. */
export interface RowExtra {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The full key of the main session of the row's agent. */
  readonly mainKey: string;
  readonly modelProvider: string;
  readonly model: string;
  /** Tokens that the model can read; null when unknown. */
  readonly contextTokens: number | null;
  readonly thinkingLevels: readonly string[];
  readonly thinkingDefault: string;
  readonly queueMode: QueueMode;
  /** The run that has the session and those that wait for it, in order. */
  readonly runIds: readonly string[];
  /** The first of `runIds` has begun. */
  readonly running: boolean;
  readonly withTitle?: boolean | undefined;
  readonly withLastMessage?: boolean | undefined;
}

export type PublicRow = ReturnType<typeof publicRow>;

/**
 * A session as clients are shown it (protocol.md 6.7). Every field is named here, so that nothing else of a row gets
 * out; what is unknown is undefined, and not in the JSON that is sent. Without a `row` it is the answer for a key under which nothing was said yet.
 */
export function publicRow(key: string, row: SessionRow | undefined, extra: RowExtra) {
  const { runIds, running, withTitle, withLastMessage } = extra;
  const classification = classify(key, row, extra.mainKey);
  const startedAt = row?.runStartedAt;
  // The end that is known may be that of the run before.
  const endedAt = running || (startedAt ?? 0) > (row?.runEndedAt ?? 0) ? undefined : row?.runEndedAt;
  // One literal, not several spread together: this runs for each of a list's thousand rows.
  return {
    key,
    kind: row?.kind ?? (key === "global" || key === "unknown" ? key : "direct"),
    classification,
    agentId: row?.agentId ?? agentOfKey(key),
    isMain: key === extra.mainKey,
    isBackground: ["cron", "hook", "subagent"].includes(classification),
    visibility: "shared" as const,
    sessionId: row?.sessionId,
    previousSessionId: row?.previousSessionId,
    // Names and marks.
    label: row?.label,
    displayName: row?.displayName ?? row?.label ?? row?.derivedTitle,
    derivedTitle: withTitle ? row?.derivedTitle : undefined,
    lastMessagePreview: withLastMessage ? row?.lastMessagePreview : undefined,
    category: row?.category,
    icon: row?.icon,
    color: row?.color,
    archived: row?.archivedAt !== undefined,
    archivedAt: row?.archivedAt,
    pinned: row?.pinnedAt !== undefined,
    pinnedAt: row?.pinnedAt,
    unread: row?.markedUnreadAt !== undefined || (row?.runEndedAt ?? 0) > (row?.lastReadAt ?? 0),
    markedUnreadAt: row?.markedUnreadAt,
    lastReadAt: row?.lastReadAt,
    // Where it came from.
    channel: row?.channel,
    accountId: row?.accountId,
    chatType: row?.chatType ?? (row?.kind === "group" ? ("group" as const) : ("direct" as const)),
    createdVia: row?.createdVia,
    parentSessionKey: row?.parentSessionKey,
    spawnedBy: row?.spawnedBy,
    forkSource: row?.forkSource,
    createdAt: row?.createdAt,
    updatedAt: row?.updatedAt,
    lastInteractionAt: row?.lastInteractionAt,
    lastActivityAt: Math.max(row?.runEndedAt ?? 0, row?.lastInteractionAt ?? 0) || undefined,
    // What was chosen for it, over the defaults.
    thinkingLevel: row?.thinkingLevel,
    verboseLevel: row?.verboseLevel,
    reasoningLevel: row?.reasoningLevel,
    elevatedLevel: row?.elevatedLevel,
    responseUsage: row?.responseUsage,
    effectiveResponseUsage: row?.responseUsage ?? "off",
    effectiveQueueMode: row?.queue?.mode ?? extra.queueMode,
    sendPolicy: row?.sendPolicy,
    groupActivation: row?.groupActivation,
    providerOverride: row?.providerOverride,
    modelOverride: row?.modelOverride,
    modelOverrideSource: row?.modelOverrideSource ?? null,
    // The model that it asks.
    modelProvider: extra.modelProvider,
    model: extra.model,
    activeModelProvider: running ? (row?.modelProvider ?? extra.modelProvider) : undefined,
    activeModel: running ? (row?.model ?? extra.model) : undefined,
    contextTokens: extra.contextTokens ?? undefined,
    thinkingLevels: extra.thinkingLevels.map((id) => ({ id, label: id })),
    thinkingOptions: extra.thinkingLevels,
    thinkingDefault: extra.thinkingDefault,
    // What came of its runs.
    hasActiveRun: running,
    activeRunIds: runIds,
    status: running ? ("running" as const) : runIds.length > 0 ? ("queued" as const) : row?.status,
    startedAt,
    endedAt,
    runtimeMs: startedAt === undefined || endedAt === undefined ? undefined : endedAt - startedAt,
    lastRunId: row?.lastRunId,
    lastRunError: row?.lastRunError,
    abortedLastRun: row?.abortedLastRun,
    systemSent: row?.systemSent,
    compactionCount: row?.compactionCount,
    inputTokens: row?.inputTokens,
    outputTokens: row?.outputTokens,
    totalTokens: row?.totalTokens || undefined,
    totalTokensFresh: (row?.totalTokens ?? 0) > 0,
    estimatedCostUsd: row?.estimatedCostUsd,
    snapshotAt: extra.now,
  };
}

/** What a session is for, as its key says. */
function classify(key: string, row: SessionRow | undefined, mainKey: string): string {
  if (key === mainKey) return "main";
  const rest = key.replace(/^agent:[^:]*:/, "");
  const special = /^(cron|hook|subagent):/.exec(rest)?.[1];
  if (special) return special;
  if (row?.kind === "group" || /:(group|channel):/.test(rest)) return row?.chatType === "channel" ? "channel" : "group";
  return /^(openai|openresponses):/.test(rest) ? "custom" : "direct";
}
