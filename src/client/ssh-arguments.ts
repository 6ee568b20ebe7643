import { destination, type SshTarget } from "./ssh-target.ts";

/** How to get to a machine over SSH. */
export interface SshRoute {
  readonly target: SshTarget;
  /** Absolute path of a private key; without one ssh uses those that it knows. */
  readonly identity?: string | undefined;
  /**
   * Connect only to a machine whose key is known already. Otherwise the key of a machine that was never seen is taken
   * for granted the first time, and a changed one is refused.
   */
  readonly knownOnly: boolean;
}

/** The arguments that make ssh print what its own configuration makes of a target (cli.md 6.5). */
export function effectiveArguments({ target, identity }: SshRoute): readonly string[] {
  return [
    "-G",
    ...(target.port === undefined ? [] : ["-p", String(target.port)]),
    ...key(identity),
    destination(target),
  ];
}

/** What matters here of what ssh would do. */
export interface Effective {
  readonly port: number;
  /** Options that make it do what is wanted of it in spite of its configuration. */
  readonly overrides: readonly string[];
}

/** Reads what `ssh -G` prints: a key and its value on each line. */
export function parseEffective(text: string): Effective {
  const values = new Map(
    text.split("\n").map((line) => {
      const [, name = "", value = ""] = /^(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
      return [name.toLowerCase(), value];
    }),
  );
  const port = Number(values.get("port"));
  const differs = (name: string, wanted: string) => (values.get(name) ?? wanted) !== wanted;
  return {
    port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : 22,
    overrides: [
      // The tunnel would belong to a connection that is shared with others, and outlive us there.
      ...(differs("controlpath", "none") ? ["-o", "ControlPath=none"] : []),
      // It would leave us behind, and run on.
      ...(differs("forkafterauthentication", "no") ? ["-o", "ForkAfterAuthentication=no"] : []),
      // The way to the gateway would be open to the whole network.
      ...(differs("gatewayports", "no") ? ["-o", "GatewayPorts=no"] : []),
    ],
  };
}

export interface Ports {
  readonly local: number;
  readonly remote: number;
}

/** The arguments that make ssh a tunnel and nothing else, and never ask anybody anything (cli.md 6.5). */
export function tunnelArguments(
  { target, identity, knownOnly }: SshRoute,
  ports: Ports,
  effective: Effective,
): readonly string[] {
  return [
    "-N",
    "-L",
    `${ports.local}:127.0.0.1:${ports.remote}`,
    "-p",
    String(effective.port),
    "-o",
    "ExitOnForwardFailure=yes",
    "-o",
    "BatchMode=yes",
    "-o",
    `StrictHostKeyChecking=${knownOnly ? "yes" : "accept-new"}`,
    "-o",
    "UpdateHostKeys=yes",
    "-o",
    "ConnectTimeout=5",
    "-o",
    "ServerAliveInterval=15",
    "-o",
    "ServerAliveCountMax=3",
    ...effective.overrides,
    ...key(identity),
    destination(target),
  ];
}

function key(identity: string | undefined): readonly string[] {
  return identity === undefined ? [] : ["-i", identity];
}
