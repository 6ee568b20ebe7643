import type { App } from "../app.ts";
import type { Metrics, Reading } from "../kit/metrics.ts";

/** A socket, past its hello or not, as far as it is looked at here. */
export interface ObservedSocket {
  /** Bytes that its peer has not read yet. */
  readonly buffered: number;
}

export interface GaugeSources {
  readonly app: App;
  readonly sockets: () => Iterable<ObservedSocket>;
  /** Files of the state folder that are open for appending: transcripts for the most part. */
  readonly openFiles: () => number;
}

/** Declares what is looked up in the running gateway whenever somebody reads the metrics. */
export function declareGauges(metrics: Metrics, { app, sockets, openFiles }: GaugeSources): void {
  const one = (name: string, help: string, read: () => number) => metrics.gauge(name, help, [], () => [[[], read()]]);
  const { host } = app;
  metrics.gauge(
    "openclaw_build_info",
    "Always 1: which release runs, and on what.",
    ["version", "runtime", "os"],
    () => [[[app.info.version, host.runtimeVersion, host.os], 1]],
  );
  one("openclaw_start_time_seconds", "When this gateway was opened, in seconds since 1970.", () => {
    return app.info.startedAt / 1000;
  });
  const { processes } = host;
  if (processes) one("process_resident_memory_bytes", "Resident memory of the process.", () => processes.memory());
  metrics.gauge("openclaw_connections", "Open sockets by role and state.", ["role", "state"], () =>
    connectionReadings(app, sockets),
  );
  one("openclaw_buffered_bytes", "Bytes that clients have not read yet, of all sockets.", () =>
    [...sockets()].reduce((sum, { buffered }) => sum + Math.max(0, buffered), 0),
  );
  metrics.gauge("openclaw_turns", "Turns that run, and messages that wait for theirs.", ["state"], () => {
    const { running, queued } = app.turns.load;
    return [
      [["running"], running],
      [["waiting"], queued],
    ];
  });
  one("openclaw_lanes", "Sessions in which something runs or waits.", () => app.turns.load.lanes);
  one("openclaw_sessions", "Sessions that are known.", () => app.sessions.size);
  one("openclaw_log_files_open", "Journals and transcripts that are open.", openFiles);
}

function connectionReadings({ connections }: App, sockets: GaugeSources["sockets"]): readonly Reading[] {
  const ready = new Map([
    ["operator", 0],
    ["node", 0],
  ]);
  for (const { caller } of connections.all()) ready.set(caller.role, (ready.get(caller.role) ?? 0) + 1);
  const opening = Math.max(0, [...sockets()].length - connections.count());
  return [...[...ready].map(([role, count]): Reading => [[role, "ready"], count]), [["unknown", "opening"], opening]];
}
