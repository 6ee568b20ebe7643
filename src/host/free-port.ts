import { Failure } from "../kit/error.ts";
import type { Host, PortOwner, Signal } from "./host.ts";

/** What it took to free a port. */
export interface FreedPort {
  /** Who was listening and was told to end; empty when the port was free. */
  readonly killed: readonly PortOwner[];
  /** Time spent between looks at the port, in milliseconds. */
  readonly waitedMs: number;
  /** True when asking was not enough and SIGKILL was sent. */
  readonly escalated: boolean;
}

const POLL_MS = 100;
const POLITE_MS = 700;
const BUDGET_MS = 2000;

/**
 * Ends whoever listens on a TCP port and waits until it is free: SIGTERM, 700 ms of patience, SIGKILL, two seconds in
 * all (cli.md 5.1). Rejects with a Failure `conflict` that names what is left, and touches nothing when one of the
 * owners is this process or one that it runs under.
 */
export async function forceFreePortAndWait(host: Pick<Host, "processes" | "clock">, port: number): Promise<FreedPort> {
  const { processes, clock } = host;
  const killed = distinct(await processes.listeners(port));
  if (killed.length === 0) return { killed, waitedMs: 0, escalated: false };
  await refuseRelatives(host, port, killed);
  for (const owner of killed) send(host, port, owner, "SIGTERM");

  let waitedMs = 0;
  let escalated = false;
  let left = distinct(await processes.listeners(port));
  while (left.length > 0 && waitedMs < BUDGET_MS) {
    if (waitedMs >= POLITE_MS && !escalated) {
      escalated = true;
      // Only those that were asked first: a service that came back with a new process is its manager's to stop.
      for (const owner of left) if (killed.some(({ pid }) => pid === owner.pid)) send(host, port, owner, "SIGKILL");
    }
    await clock.sleep(POLL_MS);
    waitedMs += POLL_MS;
    left = distinct(await processes.listeners(port));
  }
  if (left.length > 0)
    throw new Failure(
      "conflict",
      `port ${port} is still in use after ${BUDGET_MS} ms by ${left.map(name).join(", ")}`,
      {
        hints: [
          "If a service manager keeps it running, stop the service first.",
          "Or choose another port with --port.",
        ],
      },
    );
  return { killed, waitedMs, escalated };
}

async function refuseRelatives(
  host: Pick<Host, "processes">,
  port: number,
  owners: readonly PortOwner[],
): Promise<void> {
  const relatives = new Set([host.processes.pid, ...(await host.processes.ancestors())]);
  const relative = owners.find(({ pid }) => relatives.has(pid));
  if (!relative) return;
  throw new Failure(
    "conflict",
    `port ${port} is held by ${name(relative)}, which this program runs under: not killed`,
    {
      hints: ["Choose another port with --port."],
    },
  );
}

function send(host: Pick<Host, "processes">, port: number, owner: PortOwner, signal: Signal): void {
  try {
    host.processes.kill(owner.pid, signal);
  } catch (error) {
    if (!host.processes.alive(owner.pid)) return; // it ended between the look and the signal, which is what we want
    throw new Failure("conflict", `port ${port} is held by ${name(owner)}, which this user may not stop`, {
      cause: error,
      hints: ["Stop it as its owner, or choose another port with --port."],
    });
  }
}

/** One process may listen on the port at several addresses. */
function distinct(owners: readonly PortOwner[]): readonly PortOwner[] {
  return owners.filter((owner, index) => owners.findIndex(({ pid }) => pid === owner.pid) === index);
}

function name({ pid, command, user }: PortOwner): string {
  return `pid ${pid} (${command}${user === undefined ? "" : `, user ${user}`})`;
}
