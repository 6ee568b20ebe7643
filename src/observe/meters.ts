import type { TurnEvent } from "../flow/turns.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import type { Metrics } from "../kit/metrics.ts";
import { closes } from "../protocol/close.ts";
import { providerFailureOf } from "../providers/provider-failure.ts";
import type { CallObserver, DoorObserver, ModelObserver } from "./observer.ts";

/** Counts what observers are told. */
export interface Meters extends DoorObserver, CallObserver, ModelObserver {
  turn(event: TurnEvent): void;
  /** A file of the state folder was written and is on the disk. */
  flushed(kind: "append" | "replace", ms: number): void;
}

export interface MetersOptions {
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly metrics: Metrics;
  /** What there is to call. Any other name is somebody's invention, and counted as `unknown`. */
  readonly methodNames: ReadonlySet<string>;
  readonly toolNames: ReadonlySet<string>;
}

/** Where the reference has a metric of the same meaning, it has the same name here: dashboards go on working. */
export function createMeters({ clock, metrics, methodNames, toolNames }: MetersOptions): Meters {
  const refusals = metrics.counter("openclaw_connects_refused_total", "Connects that were refused.", ["reason"]);
  const closings = metrics.counter("openclaw_connections_closed_total", "Sockets the gateway closed.", ["reason"]);
  const events = metrics.counter("openclaw_events_sent_total", "Events sent, one for each receiver.", ["event"]);
  const lockouts = metrics.counter("openclaw_auth_lockouts_total", "Addresses locked out after failed attempts.");
  const answers = metrics.counter("openclaw_http_requests_total", "HTTP requests.", ["path", "code"]);
  const calls = metrics.counter("openclaw_calls_total", "Calls of methods.", ["method", "outcome"]);
  const callTimes = metrics.histogram("openclaw_call_duration_seconds", "From a call to its answer.", {
    labels: ["method"],
    buckets: shortTimes,
  });
  const runs = metrics.counter("openclaw_run_completed_total", "Runs that ended.", ["outcome"]);
  const runTimes = metrics.histogram("openclaw_run_duration_seconds", "From a run's begin to its end.", {
    labels: ["outcome"],
    buckets: longTimes,
  });
  const modelLabels = ["provider", "model", "outcome"];
  const asked = metrics.counter("openclaw_model_call_total", "Requests to models.", modelLabels);
  const modelTimes = metrics.histogram("openclaw_model_call_duration_seconds", "From request to full answer.", {
    labels: modelLabels,
    buckets: longTimes,
  });
  const tokenLabels = ["provider", "model", "token_type"];
  const tokens = metrics.counter("openclaw_model_tokens_total", "Tokens read and written by models.", tokenLabels);
  const cost = metrics.counter("openclaw_model_cost_usd_total", "What models cost, in US dollars.", [
    "provider",
    "model",
  ]);
  const tools = metrics.counter("openclaw_tool_execution_total", "Calls of tools.", ["tool", "outcome"]);
  const toolTimes = metrics.histogram("openclaw_tool_execution_duration_seconds", "From a tool's call to its result.", {
    labels: ["tool"],
    buckets: longTimes,
  });
  const flushes = metrics.histogram("openclaw_store_flush_duration_seconds", "Writes, until they are on the disk.", {
    labels: ["kind"],
    buckets: shortTimes,
  });

  return {
    refused: (failure) => refusals.add([reasonOf(failure)]),
    closing: (close) => closings.add([closeName(close)]),
    sent: (event, copies) => copies > 0 && events.add([event], copies),
    lockedOut: () => lockouts.add([]),
    answered: (path, status) => answers.add([path, String(status)]),
    called(request) {
      const since = clock.monotonic();
      const method = methodNames.has(request.method) ? request.method : "unknown";
      return (failure) => {
        calls.add([method, failure?.code ?? "ok"]);
        callTimes.observe([method], (clock.monotonic() - since) / 1000);
      };
    },
    asked({ model: { provider, id } }) {
      const since = clock.monotonic();
      return {
        ended({ thrown, usage }) {
          const outcome = thrown === undefined ? "ok" : (providerFailureOf(thrown)?.kind ?? Failure.from(thrown).code);
          asked.add([provider, id, outcome]);
          modelTimes.observe([provider, id, outcome], (clock.monotonic() - since) / 1000);
          if (!usage) return;
          for (const [name, type] of tokenTypes) if (usage[name] > 0) tokens.add([provider, id, type], usage[name]);
          if (usage.cost.total > 0) cost.add([provider, id], usage.cost.total);
        },
      };
    },
    turn(event) {
      if (event.kind === "ended") {
        // The messages that were answered together are one run.
        if (event.state.mergedInto !== undefined) return;
        runs.add([event.state.status]);
        runTimes.observe([event.state.status], Math.max(0, clock.now() - event.startedAt) / 1000);
      }
      if (event.kind !== "progress" || event.event.type !== "tool-end") return;
      const { call, result, startedAt } = event.event;
      const tool = toolNames.has(call.name) ? call.name : "unknown";
      tools.add([tool, result.isError ? "error" : "ok"]);
      toolTimes.observe([tool], Math.max(0, clock.now() - startedAt) / 1000);
    },
    flushed: (kind, ms) => flushes.observe([kind], ms / 1000),
  };
}

const shortTimes = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const longTimes = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const tokenTypes = [
  ["input", "input"],
  ["output", "output"],
  ["cacheRead", "cache_read"],
  ["cacheWrite", "cache_write"],
] as const;

/** The protocol's own name of a refusal, such as `auth_token_mismatch`; never what a client wrote. */
function reasonOf({ code, details }: Failure): string {
  const named = isObject(details) ? details["code"] : undefined;
  return typeof named === "string" && /^[A-Z_]{1,60}$/.test(named) ? named.toLowerCase() : code.replaceAll("-", "_");
}

function closeName(close: object): string {
  const [name = "refused"] = Object.entries(closes).find(([, known]) => known === close) ?? [];
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
