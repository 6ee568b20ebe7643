import { splitReference } from "../model/models.ts";
import { agentsOf } from "../agent/roster.ts";
import type { App } from "../app.ts";
import type { ModelSpec } from "../providers/provider.ts";
import { join } from "../host/paths.ts";
import { publicRow, type PublicRow, type RowExtra } from "../session/public-row.ts";
import type { SessionRow } from "../session/sessions.ts";
import { mainKeyOf } from "./address.ts";

/** What a view is made from: the whole App has it, and so does whoever tells clients of changes. */
export type ViewSource = Pick<App, "config" | "clock" | "accounts" | "turns">;

/** What a row shows of the conversation; lists leave that out unless they are asked. */
export interface ViewOptions {
  readonly withTitle?: boolean | undefined;
  readonly withLastMessage?: boolean | undefined;
}

/** The model that a session asks, with the defaults filled in, as answers name it. */
export type ResolvedModel = Pick<
  RowExtra,
  "modelProvider" | "model" | "contextTokens" | "thinkingLevels" | "thinkingDefault"
>;

/** Shows sessions to clients. It looks each model and agent up once, so make one for each answer, however long. */
export interface SessionView {
  row(row: SessionRow, options?: ViewOptions): PublicRow;
  /** A session that is not there (yet), as if nothing had been said in it. */
  absent(key: string, agentId: string): PublicRow;
  /** What a session of this agent has unless something else was chosen for it. */
  defaults(agentId: string): ResolvedModel;
  /** What this session has. */
  resolved(row: Chosen): ResolvedModel;
}

/** What of a row decides its model. */
export type Chosen = Pick<SessionRow, "agentId"> & Partial<Pick<SessionRow, "providerOverride" | "modelOverride">>;

export function sessionView(source: ViewSource): SessionView {
  const { config, clock, turns } = source;
  const { value } = config.current();
  const primaries = new Map(
    agentsOf(value).map(({ id, model }) => [id, referenceTo(source.accounts.primary(id)) ?? model.primary]),
  );
  const [first = ""] = primaries.values();
  const models = memo((reference: string) => resolve(source, reference));
  const mains = memo((agentId: string) => mainKeyOf(source, agentId));

  const defaults = (agentId: string) => models(primaries.get(agentId) ?? first);
  function resolved({ agentId, providerOverride, modelOverride }: Chosen): ResolvedModel {
    const { modelProvider } = defaults(agentId);
    return modelOverride === undefined
      ? defaults(agentId)
      : models(`${providerOverride ?? modelProvider}/${modelOverride}`);
  }
  function show(key: string, agentId: string, row: SessionRow | undefined, options: ViewOptions): PublicRow {
    const active = turns.active(key);
    const waiting = turns.pending(key).map(({ runId }) => runId);
    const { queue } = value.messages;
    return publicRow(key, row, {
      now: clock.now(),
      mainKey: mains(agentId),
      ...(row ? resolved(row) : defaults(agentId)),
      queueMode: queue.byChannel[row?.channel ?? ""] ?? queue.mode,
      runIds: active ? [active.runId, ...waiting] : waiting,
      running: active !== undefined,
      ...options,
    });
  }

  return {
    row: (row, options = { withTitle: true, withLastMessage: true }) => show(row.key, row.agentId, row, options),
    absent: (key, agentId) => show(key, agentId, undefined, {}),
    defaults,
    resolved,
  };
}

/** Where the list of sessions is kept, for people. */
export function indexPath({ paths }: Pick<App, "paths">): string {
  return join(paths.state, "sessions", "index.jsonl");
}

/** What every method that changes a session answers of it. */
export function changed(source: ViewSource, row: SessionRow) {
  const view = sessionView(source);
  const { modelProvider, model } = view.resolved(row);
  return { entry: view.row(row), resolved: { modelProvider, model } };
}

/** The model and its facts in the form that lists, histories and status have under `defaults`. */
export function shownDefaults({ modelProvider, model, contextTokens, thinkingLevels, thinkingDefault }: ResolvedModel) {
  return {
    modelProvider,
    model,
    contextTokens,
    thinkingLevels: thinkingLevels.map((id) => ({ id, label: id })),
    thinkingOptions: [...thinkingLevels],
    thinkingDefault,
  };
}

function resolve({ accounts, config }: ViewSource, reference: string): ResolvedModel {
  const spec = accounts.find(reference);
  const { provider, id } = splitReference(reference);
  if (!spec) {
    return { modelProvider: provider, model: id, contextTokens: null, thinkingLevels: [], thinkingDefault: "off" };
  }
  const { contextTokens = spec.contextWindow } = config.current().value.agents.defaults;
  return {
    modelProvider: spec.provider,
    model: spec.id,
    contextTokens: Math.min(contextTokens, spec.contextWindow),
    thinkingLevels: accounts.thinkingLevels(spec),
    thinkingDefault: accounts.defaultThinking(spec),
  };
}

function referenceTo(model: ModelSpec | undefined): string | undefined {
  return model && `${model.provider}/${model.id}`;
}

function memo<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
