import { Failure } from "../kit/error.ts";

/** A machine to reach over SSH, as somebody named it. */
export interface SshTarget {
  readonly user?: string | undefined;
  /** A name, an alias of ssh's own configuration or an address; IPv6 without brackets. */
  readonly host: string;
  /** Undefined leaves it to ssh's own configuration. */
  readonly port?: number | undefined;
}

/**
 * Reads `user@host:port`, user and port optional, IPv6 in brackets. The text becomes an argument of a program, so that
 * only what names of users and hosts are made of gets through: nothing that ssh could take for an option.
 */
export function parseSshTarget(text: string, source: string): SshTarget {
  const wrong = (what: string) =>
    new Failure(
      source.startsWith("--") ? "usage" : "config",
      `${source} ${JSON.stringify(text.slice(0, 100))}: ${what}`,
      {
        hints: ["Use user@host or user@host:port, with an IPv6 address in brackets: user@[fd00::7]:22"],
      },
    );
  const [, user, rest = ""] = /^(?:([^@]*)@)?(.*)$/s.exec(text) ?? [];
  if (user !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(user)) throw wrong("not the name of a user");
  const [, bracketed, named, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(rest) ?? [];
  const host = bracketed ?? named;
  if (host === undefined) throw wrong("not the name of a host");
  if (bracketed === undefined ? !/^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/.test(host) : !isIpv6(host))
    throw wrong(bracketed === undefined ? "not the name of a host" : "not an IPv6 address");
  const port = digits === undefined ? undefined : /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port !== undefined && (port < 1 || port > 65_535)) throw wrong("the port must be a number from 1 to 65535");
  return { user, host, port };
}

/** What ssh is told to connect to, without the port. */
export function destination({ user, host }: SshTarget): string {
  return user === undefined ? host : `${user}@${host}`;
}

/** As a person writes it. */
export function spellSshTarget(target: SshTarget): string {
  const { user, host, port } = target;
  const where = host.includes(":") ? `[${host}]` : host;
  return `${user === undefined ? "" : `${user}@`}${where}${port === undefined ? "" : `:${port}`}`;
}

/** With a zone (`fe80::1%eth0`) where there is one. */
function isIpv6(text: string): boolean {
  const [, address = ""] = /^([0-9A-Fa-f:.]+)(?:%[A-Za-z0-9][A-Za-z0-9._-]{0,31})?$/.exec(text) ?? [];
  return address.includes(":") && URL.canParse(`http://[${address}]`);
}
