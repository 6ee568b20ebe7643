/**
 * Why ssh ended, by what it said: `SSH tunnel failed: ssh exited (255): reason`, and what to do about it. What it said
 * comes in part from the other machine, so it is cut; whoever shows it cleans it.
 */
export function sshTrouble(code: number | undefined, stderr: string): { message: string; hint: string | undefined } {
  if (code === 127) return { message: "SSH tunnel failed: ssh could not be started", hint: "Fix: install OpenSSH." };
  const said = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !noise.test(line))
    // It explains at length and concludes at the end.
    .slice(-maxLines)
    .join("; ")
    .slice(0, maxSaid);
  const reason = said === "" ? "it said nothing" : said;
  const hint = hints.find(([pattern]) => pattern.test(stderr))?.[1];
  return { message: `SSH tunnel failed: ssh exited (${code ?? "by a signal"}): ${reason}`, hint };
}

/** What is wrong at the far end of a tunnel that stands, by what ssh said of it; undefined when it said nothing. */
export function farEndTrouble(stderr: string, port: number): string | undefined {
  if (/open failed: administratively prohibited/.test(stderr))
    return `The tunnel stands, but the server does not let it lead to port ${port}: see PermitOpen.`;
  if (!/open failed: connect failed/.test(stderr)) return undefined;
  return `The tunnel stands, but nothing listens on port ${port} at its other end.`;
}

const maxLines = 3;
const maxSaid = 400;
/** The frame around a warning, and news that are no trouble. */
const noise = /^@|^Warning: Permanently added|^debug\d:/;

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    "The machine shows another key than before. If that is expected, remove the old one with ssh-keygen -R; if not, somebody may sit in between.",
  ],
  [
    /Host key verification failed|No \S+ host key is known/,
    "Connect to it once with ssh, and check the key that it shows.",
  ],
  [/UNPROTECTED PRIVATE KEY FILE/, "The key file can be read by others: chmod 600 it."],
  [
    /Permission denied/,
    "It does not accept this user with this key, and nothing is asked here: name a key with --ssh-identity, or load it with ssh-add.",
  ],
  [/Could not resolve hostname/, "The name does not resolve: check the spelling, or use the address."],
  [/Connection refused/, "Nothing listens there: is sshd running, and is this its port?"],
  [/timed out|No route to host|Network is unreachable/, "The machine does not answer: is it on, and in reach?"],
  [
    /administratively prohibited|forwarding (is )?(disabled|not permitted)/i,
    "The server does not allow tunnels: see AllowTcpForwarding.",
  ],
  [/Address already in use|cannot listen to port/, "Somebody took the local port meanwhile: try again."],
];
