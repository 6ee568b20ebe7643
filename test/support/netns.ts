import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { launch, type LaunchOptions, type Running } from "./launch.ts";

/** Two machines on a network of their own: each has its interfaces, its ports, its `/run` and its name; the disk is shared. */
export interface Network {
  readonly near: Side;
  readonly far: Side;
  /** Ends everything that still runs on either side. Nothing is left: the network goes with its last process. */
  close(): Promise<void>;
}

/** One of the two machines. Nothing outside of the network can reach it, nor it anything: every port is free. */
export interface Side {
  readonly name: "near" | "far";
  readonly address4: string;
  /** A unique local address (RFC 4193). */
  readonly address6: string;
  readonly interfaceName: string;
  /** What to start in place of `argv` so that it runs there, under the same process id. */
  command(argv: readonly string[]): readonly string[];
  /** Starts a program there and leaves it running. */
  start(argv: readonly string[], options?: LaunchOptions): Running;
  /** Runs a program there to its end, or for 30 seconds. */
  run(argv: readonly string[], options?: LaunchOptions): Promise<SideResult>;
}

export interface SideResult {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Joins two new network namespaces by a virtual cable; or says what is missing for that, or for what the test does in
 * it, as `needs ...`.
 */
export async function openNetwork(
  alsoMissing: () => string | undefined = () => undefined,
): Promise<Network | { readonly skipped: string }> {
  const skipped = missing() ?? alsoMissing();
  if (skipped) return { skipped };
  const holders = await Promise.all([hold("near"), hold("far")]);
  const [near, far] = [sideOf("near", holders[0], 1), sideOf("far", holders[1], 2)];
  const endLeft = (): void => holders.forEach(({ pid }) => endInside(pid));
  process.once("exit", endLeft);
  const close = async (): Promise<void> => {
    process.off("exit", endLeft);
    const gone = holders.map((holder) => new Promise((resolve) => holder.once("exit", resolve)));
    endLeft();
    await Promise.all(gone);
  };
  try {
    // Made from inside, so that no name is ever seen outside that another run could have taken.
    const cable = ["link", "add", cableEnd, "type", "veth", "peer", "name", cableEnd];
    await expectOk(near.run(["ip", ...cable, "netns", String(holders[1].pid)]));
    await Promise.all([plugIn(near), plugIn(far)]);
    return { near, far, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the program printed; throws when it failed. */
export async function expectOk(running: Promise<SideResult>): Promise<string> {
  const { status, stdout, stderr } = await running;
  if (status !== 0) throw new Error(`status ${status}\nstdout: ${stdout}\nstderr: ${stderr}`);
  return stdout;
}

const cableEnd = "lan0";
const unshare = ["unshare", "--net", "--mount", "--uts"] as const;

function missing(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root";
  if (spawnSync("ip", ["-V"]).status !== 0) return "needs iproute2 (apt-get install iproute2)";
  const [command, ...args] = unshare;
  const trial =
    "mount -t tmpfs tmpfs /run && ip link add lan0 type veth peer name lan1 && ip -6 address add fd00::1 dev lo";
  if (spawnSync(command, [...args, "sh", "-c", trial]).status !== 0)
    return "needs to be allowed to make network namespaces with IPv6";
  return undefined;
}

/**
 * A process that keeps a namespace alive. It reads from us, and so ends with us, however we end. Its own `/run` lets a
 * D-Bus and an Avahi be started that believe that they are the machine's only ones.
 */
function hold(name: string): Promise<ChildProcess> {
  const [command, ...args] = unshare;
  const script = `mount -t tmpfs tmpfs /run && hostname ${name} && ip link set lo up && echo ready && exec cat`;
  const holder = spawn(command, [...args, "sh", "-c", script], { stdio: ["pipe", "pipe", "pipe"] });
  let failure = "";
  holder.stderr.on("data", (data: Buffer) => void (failure += data.toString()));
  return new Promise((resolve, reject) => {
    holder.on("error", reject);
    holder.once("exit", () => reject(new Error(`no namespace for ${name}: ${failure}`)));
    holder.stdout.once("data", () => resolve(holder));
  });
}

function sideOf(name: Side["name"], holder: ChildProcess, host: 1 | 2): Side {
  const enter = ["nsenter", "--target", String(holder.pid), "--net", "--mount", "--uts", `--wdns=${process.cwd()}`];
  const side: Side = {
    name,
    address4: `10.77.0.${host}`,
    address6: `fd77::${host}`,
    interfaceName: cableEnd,
    command: (argv) => [...enter, "--", ...argv],
    start: (argv, options) => launch([], process.env["HOME"] ?? "/root", { ...options, program: side.command(argv) }),
    async run(argv, options) {
      const running = side.start(argv, options);
      const deadline = setTimeout(() => running.child.kill("SIGKILL"), 30_000);
      const status = await running.exited;
      clearTimeout(deadline);
      return { status, stdout: running.stdout(), stderr: running.stderr() };
    },
  };
  return side;
}

/** Addresses by hand, without duplicate detection, for which IPv6 would wait more than a second. */
async function plugIn(side: Side): Promise<void> {
  const { address4, address6, interfaceName } = side;
  const linkLocal = address6.replace(/^.*::/, "fe80::");
  const commands = [
    ["link", "set", interfaceName, "addrgenmode", "none"],
    ["address", "add", `${address4}/24`, "dev", interfaceName],
    ["address", "add", `${address6}/64`, "dev", interfaceName, "nodad"],
    ["address", "add", `${linkLocal}/64`, "dev", interfaceName, "nodad"],
    ["link", "set", interfaceName, "up"],
    ["route", "add", "224.0.0.0/4", "dev", interfaceName],
  ];
  for (const command of commands) await expectOk(side.run(["ip", ...command]));
}

/** Ends every process of the holder's namespace, the holder too. */
function endInside(holder: number | undefined): void {
  const inside = namespaceOf(String(holder));
  if (!inside) return;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (namespaceOf(pid) !== inside) continue;
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined; // ended
  }
}
