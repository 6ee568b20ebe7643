import { flavours } from "../host/flavour.ts";
import type { Host, PortOwner } from "../host/host.ts";
import { join, type Paths } from "../host/paths.ts";
import { readRuntime } from "../host/runtime-file.ts";
import { Failure } from "../kit/error.ts";
import type { LockOwner } from "../store/lock.ts";
import { DEV_PORT } from "./defaults.ts";

/** The refusal when the gateway of this state folder runs on the same port already. */
export function alreadyRunning(owner: LockOwner, program: string): Failure {
  const { pid, port, command, since } = owner;
  return new Failure("conflict", `Gateway already running locally (pid ${pid}, port ${port}).`, {
    details: { errno: "EADDRINUSE", pid, port },
    hints: [
      `- pid ${pid}: ${command}, since ${new Date(since).toISOString()}`,
      addressInUse(port),
      `Stop it:               ${program} gateway stop`,
      `Restart it:            ${program} gateway restart`,
      `Run one beside it:     ${program} gateway --port ${otherPort(port)}`,
    ],
  });
}

/** The refusal when somebody else has the port: who, as far as the system tells, and the ways out. */
export async function portInUse(host: Pick<Host, "processes" | "os">, port: number, program: string): Promise<Failure> {
  const owners = await host.processes.listeners(port);
  const byHand = host.os === "windows" ? `netstat -ano | findstr :${port}` : `lsof -ti:${port} | xargs kill -9`;
  return new Failure("conflict", addressInUse(port), {
    details: { errno: "EADDRINUSE", port, pids: owners.map(({ pid }) => pid) },
    hints: [
      `Port ${port} is already in use.`,
      ...owners.flatMap((owner) => [describe(owner), explain(owner)]),
      `Free it:               ${program} gateway --force`,
      `Use another port:      ${program} gateway --port ${otherPort(port)}`,
      `Or by hand:            ${byHand}`,
    ],
  });
}

/** Whether the port belongs to a gateway of another profile: one that said so in its state folder, or is named so. */
export async function otherProfileHolds(host: Host, paths: Paths, port: number): Promise<boolean> {
  if (!(await host.net.reaches("127.0.0.1", port, 300))) return false;
  if ((await readRuntime(host.files, paths.state))?.port === port) return false;
  const owners = await host.processes.listeners(port);
  return owners.some(isGateway) || (await someRuntimeHas(host, port));
}

async function someRuntimeHas(host: Host, port: number): Promise<boolean> {
  const stems = Object.values(flavours).map(({ stateFolder }) => stateFolder);
  for (const name of await host.files.list(host.home)) {
    if (!stems.some((stem) => name === stem || name.startsWith(`${stem}-`))) continue;
    const runtime = await readRuntime(host.files, join(host.home, name));
    if (runtime?.port === port && host.processes.alive(runtime.pid)) return true;
  }
  return false;
}

/** Node's own words, which people search for. */
function addressInUse(port: number): string {
  return `Error: listen EADDRINUSE: address already in use :::${port}`;
}

function describe({ pid, user, command, commandLine, address }: PortOwner): string {
  return `- pid ${pid}${user === undefined ? "" : ` ${user}`}: ${commandLine ?? command}${address === undefined ? "" : ` (${address})`}`;
}

function explain(owner: PortOwner): string {
  if (isGateway(owner)) return "- Another gateway is listening on this port.";
  if (owner.command === "ssh") return "- An SSH tunnel is listening on this port.";
  return "- Another process is listening on this port.";
}

/** A gateway names itself so to `ps`; where the system keeps the old name, its command line tells. */
function isGateway({ command, commandLine = "" }: PortOwner): boolean {
  return (
    /(?:openclaw|clawdbot)-gateway/.test(`${command} ${commandLine}`) ||
    /\b(?:openclaw|clawdbot|clawlet)\S* .*\bgateway\b/.test(commandLine)
  );
}

function otherPort(port: number): number {
  return port === DEV_PORT ? DEV_PORT + 20 : DEV_PORT;
}
