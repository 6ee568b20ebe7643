import type { BackgroundChild, Host } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { effectiveArguments, parseEffective, tunnelArguments, type SshRoute } from "./ssh-arguments.ts";
import { spellSshTarget, type SshTarget } from "./ssh-target.ts";
import { sshTrouble } from "./ssh-trouble.ts";

export interface TunnelOptions extends SshRoute {
  /** Absolute path of ssh. */
  readonly program: string;
  /** Where the gateway listens on the loopback of the other machine; the same here unless it is taken. */
  readonly remotePort: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A port of this machine that leads to a port of another. */
export interface Tunnel {
  /** As a person writes it: `user@host:port`. */
  readonly target: string;
  readonly localPort: number;
  readonly remotePort: number;
  readonly pid: number;
  /** What ssh has complained of so far: that nobody listens at the other end, for one. */
  readonly complaints: string;
  /** Resolves when the process is gone. */
  close(): Promise<void>;
}

/**
 * Opens a tunnel through the system's ssh. Resolves when the local port leads through it; rejects with a Failure that
 * says why ssh gave up. Either way no process is left but that of a tunnel that stands, which ends with this one.
 */
export async function openTunnel(host: Host, options: TunnelOptions): Promise<Tunnel> {
  const { program, remotePort, target, signal } = options;
  const { clock, processes } = host;
  const deadline = clock.monotonic() + options.timeoutMs;
  const asked = await processes.run(program, effectiveArguments(options), { timeoutMs: options.timeoutMs });
  if (asked.code !== 0) throw failed(asked.code, asked.stderr);
  if (signal.aborted) throw interrupted();

  const localPort = await choosePort(host, leadsHere(host, target) ? 0 : remotePort);
  const ports = { local: localPort, remote: remotePort };
  const child = processes.start(program, tunnelArguments(options, ports, parseEffective(asked.stdout)));
  const close = () => end(host, child);
  try {
    await ready(host, child, { port: localPort, deadline, signal });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    target: spellSshTarget(target),
    localPort,
    remotePort,
    pid: child.pid,
    get complaints() {
      return child.stderr;
    },
    close,
  };
}

/** Longer than ssh takes to end when it is asked to. */
const politeMs = 1000;
const pollMs = 25;

/** A tunnel whose ends were one port of one machine would lead into itself. */
function leadsHere({ hostname }: Host, { host }: SshTarget): boolean {
  return host === hostname || /^(localhost$|127\.|::1$)/i.test(host);
}

/** The port that the gateway has there, or any other when this is taken here. */
async function choosePort({ net }: Host, wanted: number): Promise<number> {
  const limits = { maxPayload: 1, maxUntrusted: 1, maxBody: 1 };
  const open = (port: number) => net.serve({ hostname: "127.0.0.1", port, ...limits }, () => new Response(null));
  // Whatever is in the way of one port, be it another program or the system's rules, another port is as good.
  const server = await open(wanted).catch(() => open(0));
  await server.close(0);
  return server.port;
}

/**
 * Waits until the port accepts, by ssh and nobody else: what is sent there next may be a secret, and whoever took the
 * port between our look and ssh's would get it.
 */
async function ready(
  { clock, net, processes }: Host,
  child: BackgroundChild,
  { port, deadline, signal }: { port: number; deadline: number; signal: AbortSignal },
): Promise<void> {
  let ended: { code: number | undefined } | undefined;
  const over = child.exited.then((how) => void (ended = how));
  for (;;) {
    if (signal.aborted) throw interrupted();
    if (ended) throw failed(ended.code, child.stderr);
    if (await net.reaches("127.0.0.1", port, pollMs * 8)) break;
    if (clock.monotonic() >= deadline)
      throw new Failure("timeout", "SSH tunnel failed: the other machine did not answer in time", {
        hints: ["Give it longer with --timeout."],
      });
    await Promise.race([clock.sleep(pollMs), over]);
  }
  const owners = await processes.listeners(port);
  if (owners.length > 0 && owners.every(({ pid }) => pid === child.pid)) return;
  throw new Failure("conflict", `SSH tunnel failed: another program listens on port ${port} of this machine`, {
    hints: ["Try again: another port is used then."],
  });
}

async function end({ clock }: Host, child: BackgroundChild): Promise<void> {
  child.kill("SIGTERM");
  const cancel = clock.after(politeMs, () => child.kill("SIGKILL"));
  await child.exited;
  cancel();
}

function failed(code: number | undefined, stderr: string): Failure {
  const { message, hint } = sshTrouble(code, stderr);
  return new Failure("unavailable", message, { hints: hint === undefined ? [] : [hint] });
}

function interrupted(): Failure {
  return new Failure("aborted", "interrupted while opening the SSH tunnel");
}
