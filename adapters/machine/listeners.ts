import { readdir, readFile, readlink } from "node:fs/promises";
import type { PortOwner, RunOptions, RunResult } from "../../src/host/host.ts";

type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;

/** Who listens on a TCP port, asked of whatever this system has: /proc, ss, lsof, netstat. */
export async function findListeners(port: number, run: Run): Promise<readonly PortOwner[]> {
  if (process.platform === "win32") return fromNetstat(port, run);
  if (process.platform === "linux") {
    const found = await fromProc(port);
    if (found) return found;
    const ss = await run("ss", ["-Hltnp"]);
    if (ss.code === 0) return parseSs(ss.stdout, port);
  }
  const lsof = await run("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-FpcnL"]);
  return parseLsof(lsof.stdout);
}

/** Inodes and addresses of the sockets that listen on `port` in /proc/net/tcp or tcp6 (proc(5)). */
export function parseProcNet(text: string, port: number): readonly { inode: string; address: string }[] {
  return text
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([, local = "", , state, , , , , , inode = ""]) => {
      const [hex = "", hexPort = ""] = local.split(":");
      if (state !== "0A" || Number.parseInt(hexPort, 16) !== port) return [];
      return [{ inode, address: `${hexAddress(hex)}:${port}` }];
    });
}

/** The lines of `ss -Hltnp` for `port`. */
export function parseSs(text: string, port: number): readonly PortOwner[] {
  return text.split("\n").flatMap((line) => {
    const [, , , local = ""] = line.trim().split(/\s+/);
    if (!local.endsWith(`:${port}`)) return [];
    return [...line.matchAll(/\("((?:[^"\\]|\\.)*)",pid=(\d+)/g)].map(([, command = "", pid]) => ({
      pid: Number(pid),
      command,
      address: local,
    }));
  });
}

/** The fields of `lsof -FpcnL`: a line each, named by their first letter; `p` begins a process. */
export function parseLsof(text: string): readonly PortOwner[] {
  const owners: { pid: number; command: string; user?: string; address?: string }[] = [];
  for (const line of text.split("\n")) {
    const value = line.slice(1);
    const last = owners.at(-1);
    if (line.startsWith("p")) owners.push({ pid: Number(value), command: "" });
    else if (!last) continue;
    else if (line.startsWith("c")) last.command = value;
    else if (line.startsWith("L")) last.user = value;
    else if (line.startsWith("n")) last.address ??= value;
  }
  return owners;
}

/** The lines of `netstat -ano -p tcp` for `port`. State names are translated on Windows; a listener's peer is port 0. */
export function parseNetstat(text: string, port: number): readonly { pid: number; address: string }[] {
  return text.split("\n").flatMap((line) => {
    const [protocol, address = "", peer = "", , pid = ""] = line.trim().split(/\s+/);
    const listens = protocol === "TCP" && address.endsWith(`:${port}`) && peer.endsWith(":0");
    return listens && /^\d+$/.test(pid) ? [{ pid: Number(pid), address }] : [];
  });
}

/** The image name of `tasklist /FO CSV /NH /FI "PID eq n"`. */
export function parseTasklist(text: string): string | undefined {
  return /^"([^"]+)","\d+"/m.exec(text)?.[1]?.replace(/\.exe$/i, "");
}

/** Undefined where /proc does not show the sockets of other processes. */
async function fromProc(port: number): Promise<readonly PortOwner[] | undefined> {
  const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map((path) => text(path)));
  if (tables.every((table) => table === undefined)) return undefined;
  const sockets = new Map(
    tables
      .flatMap((table) => parseProcNet(table ?? "", port))
      .map(({ inode, address }) => [`socket:[${inode}]`, address]),
  );
  if (sockets.size === 0) return [];
  const owners = new Map<number, PortOwner>();
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  await Promise.all(
    pids.map(async (pid) => {
      const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
      for (const descriptor of descriptors) {
        const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
        const address = sockets.get(target);
        if (address !== undefined && !owners.has(Number(pid)))
          owners.set(Number(pid), { ...(await describe(pid)), address });
      }
    }),
  );
  return owners.size > 0 ? [...owners.values()].toSorted((a, b) => a.pid - b.pid) : undefined;
}

async function describe(pid: string): Promise<PortOwner> {
  const [command, line, status] = await Promise.all([
    text(`/proc/${pid}/comm`),
    text(`/proc/${pid}/cmdline`),
    text(`/proc/${pid}/status`),
  ]);
  const uid = /^Uid:\s+(\d+)/m.exec(status ?? "")?.[1];
  return {
    pid: Number(pid),
    command: (command ?? "").trim(),
    commandLine: (line ?? "").replaceAll("\0", " ").trim(),
    ...(uid === undefined ? {} : { user: await userName(uid) }),
  };
}

async function userName(uid: string): Promise<string> {
  const line = (await text("/etc/passwd"))?.split("\n").find((entry) => entry.split(":")[2] === uid);
  return line?.split(":")[0] ?? uid;
}

async function fromNetstat(port: number, run: Run): Promise<readonly PortOwner[]> {
  const { stdout } = await run("netstat", ["-ano", "-p", "tcp"]);
  return Promise.all(
    parseNetstat(stdout, port).map(async ({ pid, address }) => {
      const task = await run("tasklist", ["/FO", "CSV", "/NH", "/FI", `PID eq ${pid}`]);
      return { pid, address, command: parseTasklist(task.stdout) ?? "unknown" };
    }),
  );
}

/** An address of /proc/net: groups of four bytes, each in the machine's (little-endian) order. */
function hexAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
  const groups = bytes.flatMap((byte, index) => (index % 2 === 0 ? [byte + (bytes[index + 1] ?? "")] : []));
  const address = new URL(`http://[${groups.join(":")}]`).hostname;
  return address;
}

/** A file of /proc, or undefined: processes end while they are being looked at, and others' are not ours to read. */
async function text(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
