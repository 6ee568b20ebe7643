/** Parts of the reference's answers and events that ours do not have, or have otherwise, and why no client misses them. */
export interface LeftOut {
  readonly why: string;
  /** The name of a field wherever it is; or a method or `event <kind>`, and after a colon a path there. `*` is any text. */
  readonly what: readonly string[];
}

export const leftOut: readonly LeftOut[] = [
  {
    why: "everybody who may connect here is the same person: there are no profiles, participants, shares and viewers",
    what: [
      "participants",
      "expandedParticipants",
      "participantCount",
      "sharingRole",
      "senderIsOwner",
      "senderId",
      "senderIdentity",
      "senderProfileAvatarUrl",
      "hiddenFromInvolvingMe",
      "createdActor",
      "transport",
      "activitySummary",
      "event sessions.changed participants",
      "sessions.viewers.set: unknown method",
      "session.members.listEvidence: unknown method",
      "mentions.list: unknown method",
      "connect: policy.allowedSessionVisibilities",
      "connect: policy.hasMultipleSessionSharingIdentities",
      "connect: auth.recoveryScope",
      "connect: auth.recoveryMigrationAllowed",
    ],
  },
  {
    why: "runs are done by this process and by nobody else: there is nothing to choose and nothing to move",
    what: [
      "agentRuntime",
      "runtimeSelectionLocked",
      "placement",
      "agentHarnessId",
      "modelSelectionTarget",
      "lifecycleRevision",
      "sessionRoot",
      "delivery",
      "event sessions.changed run-capacity",
      "status: modelRuntime",
      "health: modelRuntime",
    ],
  },
  {
    why: "fast mode and permission modes are refused by sessions.patch, with these words; clients then show neither",
    what: [
      "permissionModePending",
      "effectiveFastMode",
      "effectiveFastModeSource",
      "fastAutoOnSeconds",
      "agents.list: agents[].defaultPermissionMode",
    ],
  },
  {
    why: "subagents, automations, branches and boards come with the parts of the program that have them; absent is none",
    what: [
      "ancestorSessions",
      "spawnDepth",
      "parentSessionKey",
      "hasAutomation",
      "event task",
      "event sessions.changed cron-bindings-loaded",
      "tasks.list: tasks[]",
      "cron.list: *",
      "cron.status: *",
      "board.get: unknown method",
      "projects.list: unknown method",
      "progressCard.get: unknown method",
      "taskSuggestions.list: unknown method",
      "talk.catalog: unknown method",
      "sessions.observer.visibility: unknown method",
      "sessions.companion.state: unknown method",
      "sessions.catalog.list: unknown method",
      "sessions.groups.list: unknown method",
      "sessions.groups.defaults: unknown method",
      "sessions.github.options: unknown method",
      "session.discussion.info: unknown method",
      "controlUi.sessionPullRequests.subscribe: unknown method",
      "event controlUi.sessionPullRequests.changed",
      "plugins.controlUi.list: unknown method",
      "plugin.surface.refresh: unknown method",
      "exec.approval.request: unknown method",
      "exec.approvals.get: unknown method",
    ],
  },
  {
    why: "how much room is left shows in totalTokens and contextTokens; what a run costs is known once prices are",
    what: ["contextBudgetStatus", "estimatedCostUsd", "contextTokensSource", "totalTokensVersion"],
  },
  {
    why: "a position in another program's database",
    what: ["transcriptPosition", "agent: result.meta.agentMeta.sessionFile"],
  },
  {
    why: "a message is told as it is accepted: its run, and what follows from its text, come with the next event",
    what: [
      "event sessions.changed send: *",
      "event sessions.changed create: *",
      "event sessions.changed agent.run.started: *",
      "event sessions.changed start: *",
      "event sessions.changed agent.input.settled",
    ],
  },
  {
    why: "how the reference watches itself: no client shows it",
    what: [
      "agent: result.meta.agentMeta.contextTokens",
      "agent: result.meta.agentMeta.credentialSource",
      "agent: result.meta.agentMeta.lastCallUsage",
      "agent: result.meta.agentMeta.promptTokens",
      "agent: result.meta.agentMeta.codeModeEngaged",
      "agent: result.meta.agentMeta.assistantTurns",
      "agent: result.meta.agentMeta.bridgeCalls",
      "agent: result.meta.agentMeta.costUsd",
      "agent: result.meta.agentMeta.terminalReceipt",
      "agent: result.meta.final*Text",
      "agent: result.meta.replayInvalid",
      "agent: result.meta.livenessState",
      "agent: result.meta.executionTrace",
      "agent: result.meta.requestShaping",
      "agent: result.meta.completion",
      "agent: result.sourceReplyDeliveryState",
      "agent.wait: livenessState",
      "agent.wait: terminalReceipt",
      "event agent lifecycle *: data.livenessState",
      "event agent lifecycle *: data.terminalReceipt",
      "event agent lifecycle *: data.replayInvalid",
      "event agent lifecycle error: data.*",
      "event agent lifecycle finishing: data.error*",
      "event agent lifecycle fallback_step",
      "event chat.send_timing",
      "status: *",
      "health: *",
      "connect: snapshot.health.*",
      "connect: snapshot.suspension",
      "connect: snapshot.appliedConfigHash",
      "connect: snapshot.updateSchedule",
      "connect: server.*",
      "connect: auth.method",
      "system.info: *",
      "usage.cost: cacheStatus",
    ],
  },
  {
    why: "a person's text comes as a list with one part, as an answer does and as version 3 had it: clients take both",
    what: [
      "event session.message user: message.content",
      "chat.history: messages[user].content",
      "chat.startup: messages[user].content",
    ],
  },
  {
    why: "an answer of the model is known by its own id",
    what: [
      "chat.history: messages[assistant].idempotencyKey",
      "chat.history: messages[assistant].__openclaw.idempotencyKey",
      "event session.message assistant: runId",
    ],
  },
  {
    why: "commands are runs like others here: they have a lifecycle, and their final event has the text alone",
    what: ["event agent lifecycle end: data.status", "event chat final: message.*"],
  },
  {
    why: "the text says all that these events would say again",
    what: ["chat.history: inFlightRun.events[]"],
  },
  {
    why: "the row is in sessions.changed; with each step of a tool it would be most of what is sent",
    what: ["event agent tool start: *", "event agent tool result: *"],
  },
  {
    why: "the recorded tool ran a program, which comes with approvals; another one is run here, which ends at once",
    what: [
      "event agent command_output *",
      "event agent item preamble *",
      "event agent item tool update",
      "event agent item tool *: data.meta",
      "event agent item tool *: data.commandBearing",
      "event agent tool update",
      "event session.message assistant: message.content[toolCall].arguments.command",
    ],
  },
  {
    why: "told when it changes; the reference also told it in passing",
    what: [
      "event health",
      "event tick",
      "event chat.metadata.changed",
      "event models.snapshot",
      "event connect.challenge: *",
    ],
  },
  {
    why: "while a run goes on nothing is said of the end of the one before",
    what: ["endedAt", "runtimeMs"],
  },
  {
    why: "a run begins, then its message is written, and what was written is told: each is on the disk by then",
    what: ["order: agent lifecycle start, then session.message user", "order: session.message user, then chat final"],
  },
  {
    why: "a run is over before its end is told to those who chat",
    what: ["order: agent lifecycle end, then chat aborted"],
  },
  {
    why: "what is configured here is something else",
    what: ["config.get: *"],
  },
  {
    why: "for pages and surfaces that this gateway does not serve",
    what: [
      "connect: features.capabilities[]",
      "connect: controlUiWidgetKinds",
      "connect: controlUiLinkReaders",
      "connect: pluginSurfaceUrls",
      "connect: canvasHostUrl",
      "connect: snapshot.sessionDefaults.*",
      "agents.list: agents[].workspaceGit",
      "models.list: models[].local",
    ],
  },
  {
    why: "the session that was recorded had a longer past: absent is never",
    what: [
      "lastReadAt",
      "sessions.create: entry.modelOverrideSource",
      "sessions.patch: entry.*",
      "sessions.list: sessions[].channel",
      "sessions.list: sessions[].origin",
      "sessions.list: sessions[].deliveryContext",
      "sessions.list: sessions[].lastChannel",
      "sessions.list: sessions[].totalTokens",
      "connect: snapshot.presence[].*",
      "node.list: nodes[]",
      "device.pair.list: paired[node]",
    ],
  },
];

/** The differences that are not listed. What is listed and met is added to `met`. */
export function without(found: readonly string[], met: Set<string>): readonly string[] {
  const known = leftOut.flatMap(({ what }) => what).map((what) => ({ what, pattern: patternOf(what) }));
  return [...new Set(found)].filter((difference) => {
    const place = difference.replace(/ is (missing|\w+ and not .*)$|: none is told$|(?<=unknown method): .*$/, "");
    const listed = known.filter(({ pattern }) => pattern.test(place));
    for (const { what } of listed) met.add(what);
    return listed.length === 0;
  });
}

function patternOf(what: string): RegExp {
  const escaped = what.replaceAll(/[.[\]]/g, "\\$&").replaceAll("*", ".*");
  return /[ :]/.test(what) ? new RegExp(`^${escaped}$`) : new RegExp(`[ .]${escaped}(\\[\\])?$`);
}
