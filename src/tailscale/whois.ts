import * as v from "valibot";
import type { Clock } from "../host/host.ts";
import { isObject } from "../kit/json.ts";
import type { ProgramResult, TailscaleProgram } from "./program.ts";
import { parseObject } from "./state.ts";

/** The person behind an address of the tailnet, as Tailscale vouches for it. */
export interface Identity {
  /** Such as `ada@example.com`. */
  readonly login: string;
  readonly name?: string;
  readonly picture?: string;
}

/** Answers who is behind an address; undefined for a machine that is nobody's, a stranger, and while Tailscale is silent. */
export type Whois = (address: string) => Promise<Identity | undefined>;

const timeoutMs = 5000;
const knownMs = 60_000;
/** Short: a machine may join the tailnet the moment after. */
const unknownMs = 5000;
const maxKnown = 256;
/** Programs at work at once. Whoever can send headers to loopback can make up addresses as fast as he likes. */
const maxAsking = 8;

/** Asks Tailscale, remembers for a short while, and asks once for all who want to know the same. */
export function createWhois(program: TailscaleProgram, clock: Pick<Clock, "monotonic">): Whois {
  const known = new Map<string, { readonly who: Identity | undefined; readonly until: number }>();
  const asking = new Map<string, Promise<Identity | undefined>>();

  async function ask(address: string): Promise<Identity | undefined> {
    const who = readIdentity(await program(["whois", "--json", address], timeoutMs));
    const [oldest] = known.keys();
    if (known.size >= maxKnown && oldest !== undefined) known.delete(oldest);
    known.set(address, { who, until: clock.monotonic() + (who ? knownMs : unknownMs) });
    return who;
  }

  return async (address) => {
    // It becomes an argument of a program: an address and nothing else, so never an option.
    if (!v.is(v.pipe(v.string(), v.ip()), address)) return undefined;
    const remembered = known.get(address);
    if (remembered && clock.monotonic() < remembered.until) return remembered.who;
    known.delete(address);
    const asked = asking.get(address);
    if (asked) return asked;
    if (asking.size >= maxAsking) return undefined;
    const answer = ask(address).finally(() => asking.delete(address));
    asking.set(address, answer);
    return answer;
  };
}

/** Reads what `tailscale whois --json` answered. A tagged machine belongs to the tailnet and not to a person. */
export function readIdentity({ code, stdout }: ProgramResult): Identity | undefined {
  const answer = code === 0 ? parseObject(stdout) : undefined;
  const { Node: node, UserProfile: profile } = answer ?? {};
  if (!isObject(profile)) return undefined;
  if (isObject(node) && Array.isArray(node["Tags"]) && node["Tags"].length > 0) return undefined;
  const login = word(profile["LoginName"], 320);
  if (login === undefined || login === "tagged-devices") return undefined;
  const [name, picture] = [word(profile["DisplayName"], 200), word(profile["ProfilePicURL"], 2048)];
  return {
    login,
    ...(name === undefined ? {} : { name }),
    ...(picture !== undefined && picture.startsWith("https://") ? { picture } : {}),
  };
}

/** A text that is safe to compare and to show: not empty, not endless, nothing invisible in it. */
function word(value: unknown, length: number): string | undefined {
  if (typeof value !== "string" || value === "" || value.length > length) return undefined;
  return /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(value) ? undefined : value;
}
