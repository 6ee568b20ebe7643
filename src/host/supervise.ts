import type { Child, Host, Signal } from "./host.ts";

const SETTLE_MS = 150;
const PATIENCE_MS = 7000;
const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const satisfies readonly Signal[];

/**
 * Runs this program again as a child, and anew whenever its source changes: with the arguments `first`, then with
 * `again`. Signals go on to the child. Resolves with the child's status when it ends by itself or by such a signal.
 */
export async function superviseSources(
  host: Host,
  { first, again }: { first: readonly string[]; again: readonly string[] },
): Promise<number> {
  const { clock, files, processes } = host;
  const [command = "", ...leading] = host.self;
  let child: Child = processes.spawn(command, [...leading, ...first]);
  let changed = false;
  let ending = false;
  let cancel = (): void => undefined;

  const restart = (): void => {
    changed = true;
    child.kill("SIGTERM");
    cancel = clock.after(PATIENCE_MS, () => child.kill("SIGKILL"));
  };
  const onSource = (path: string): void => {
    if (changed || ending || !/\.(?:[jt]sx?|json|css|html)$/.test(path)) return;
    cancel();
    cancel = clock.after(SETTLE_MS, restart); // one save is several events, a checkout hundreds: wait for the last
  };
  const end = (signal: Signal): void => {
    ending = true;
    cancel();
    child.kill(signal);
  };
  const undo = [
    ...endings.map((signal) => processes.onSignal(signal, () => end(signal))),
    processes.onSignal("SIGUSR1", () => child.kill("SIGUSR1")),
    ...host.sources.map((folder) => files.watch(folder, onSource, { recursive: true })),
  ];
  try {
    for (;;) {
      const { code, signal } = await child.exited;
      cancel();
      if (ending || !changed) return code ?? statusOf(signal);
      changed = false;
      child = processes.spawn(command, [...leading, ...again]);
    }
  } finally {
    for (const each of undo) each();
  }
}

/** The shell's convention: 128 and the signal's number. */
function statusOf(signal: string | undefined): number {
  const numbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
  return 128 + (numbers[signal ?? ""] ?? 0);
}
