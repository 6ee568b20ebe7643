import type { App } from "../app.ts";
import type { ConfigStore } from "../config/config.ts";
import type { OpenTurns } from "../flow/open-turns.ts";
import type { Files, Surroundings } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { exposition, type Exposition } from "../kit/exposition.ts";
import type { Logger } from "../kit/log.ts";
import { createMetrics, type Metrics } from "../kit/metrics.ts";
import { VERSION } from "../kit/version.ts";
import { exportSettings } from "./export-settings.ts";
import { createExporter, type Exporter } from "./exporter.ts";
import { declareGauges, type ObservedSocket } from "./gauges.ts";
import { createMeters } from "./meters.ts";
import { type CallObserver, callObservers, type DoorObserver, type ModelObserver, modelObservers } from "./observer.ts";
import { createTracer, type Tracer } from "./tracer.ts";
import { createFileWatch } from "./watch-files.ts";

/** All watching of one gateway, by its configuration as it is when it opens; nothing at all when that wants none. */
export interface Observing {
  /** The same files, watched where somebody asks how fast they are. */
  readonly files: (files: Files) => Files;
  readonly doors: DoorObserver | undefined;
  readonly calls: CallObserver | undefined;
  readonly models: ModelObserver | undefined;
  /** The metrics as text; undefined where there are none. */
  readonly metrics: ((format: Exposition) => string) | undefined;
  /** Watches a gateway that is built; the answer ends it. */
  watch(gateway: Observed): () => void;
  close(): Promise<void>;
}

export interface Observed {
  readonly app: App;
  readonly turns: Pick<OpenTurns, "onEvent">;
  readonly sockets: () => Iterable<ObservedSocket>;
}

export interface ObservingOptions {
  readonly host: Pick<Surroundings, "clock" | "env" | "runtimeVersion">;
  readonly config: ConfigStore;
  readonly log: Logger;
  readonly methodNames: readonly string[];
  readonly toolNames: readonly string[];
  readonly fetch: typeof fetch;
}

export function openObserving(options: ObservingOptions): Observing {
  const { diagnostics } = options.config.current().value;
  const metrics = diagnostics.enabled && diagnostics.metrics.enabled ? createMetrics() : undefined;
  const metering = metrics && openMetering(options, metrics);
  const tracing = openTracing(options, metrics);
  const observers = [metering?.meters, tracing?.tracer].filter((each) => each !== undefined);
  return {
    files: (files) => metering?.files(files) ?? files,
    doors: metering?.meters,
    calls: callObservers(observers),
    models: modelObservers(observers),
    metrics: metrics && ((format) => exposition(metrics.families(), format)),
    watch({ app, turns, sockets }) {
      const stops = observers.map((each) => turns.onEvent((event) => each.turn(event)));
      if (metering) stops.push(metering.watch(app, sockets));
      return () => {
        for (const stop of stops) stop();
      };
    },
    close: async () => tracing?.exporter.close(),
  };
}

function openMetering({ host, methodNames, toolNames }: ObservingOptions, metrics: Metrics) {
  const { clock } = host;
  const meters = createMeters({
    clock,
    metrics,
    methodNames: new Set(methodNames),
    toolNames: new Set(toolNames),
  });
  const delays = metrics.histogram("openclaw_event_loop_delay_seconds", "How late a timer of one second fires.", {
    labels: [],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  });
  const watched = createFileWatch(clock, (kind, ms) => meters.flushed(kind, ms));
  return {
    meters,
    files: watched.over,
    watch(app: App, sockets: Observed["sockets"]): () => void {
      declareGauges(metrics, { app, sockets, openFiles: watched.open });
      let last = clock.monotonic();
      return clock.every(1000, () => {
        const now = clock.monotonic();
        delays.observe([], Math.max(0, now - last - 1000) / 1000);
        last = now;
      });
    },
  };
}

/** Tracing that is set up wrongly is left out, and said: a gateway does not stay away for it. */
function openTracing(
  options: ObservingOptions,
  metrics: Metrics | undefined,
): { readonly tracer: Tracer; readonly exporter: Exporter } | undefined {
  const { host, config, fetch } = options;
  const { clock, env } = host;
  const log = options.log.child("otel");
  try {
    const settings = exportSettings(config.current().value, env);
    if (!settings) return undefined;
    const { serviceName, sampleRate, propagate } = settings;
    const resource = {
      "service.name": serviceName,
      "service.version": VERSION,
      "service.instance.id": crypto.randomUUID(),
    };
    const dropped = metrics?.counter("openclaw_trace_spans_dropped_total", "Spans that no collector took.");
    const source = { resource, version: VERSION };
    const lost = (spans: number): void => dropped?.add([], spans);
    const exporter = createExporter({ ...settings, clock, fetch, log, source, lost });
    const sampled = (): boolean => Math.random() < sampleRate;
    const toolNames = new Set(options.toolNames);
    const tracer = createTracer({ clock, sampled, propagate, toolNames, emit: (span) => exporter.add(span) });
    log.info("traces go to the collector", { origin: settings.url.origin, sampleRate });
    return { tracer, exporter };
  } catch (error) {
    log.error(`no traces are sent: ${Failure.from(error).message}`);
    return undefined;
  }
}
