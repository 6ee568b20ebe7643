import { createProgram, type TailscaleHost } from "./program.ts";
import {
  publishArguments,
  readPublications,
  refusalOf,
  type Publication,
  type PublishMode,
  type Target,
} from "./publication.ts";
import { readState, type TailscaleState } from "./state.ts";
import type { Trouble } from "./trouble.ts";
import { createWhois, type Whois } from "./whois.ts";

/** Tailscale on this machine, through its own command line. Nothing here throws or waits without end. */
export interface Tailscale {
  status(): Promise<TailscaleState>;
  /** Leads HTTPS of the tailnet, or of the internet, to a port of this machine. Answers why not. */
  publish(mode: PublishMode, target: Target): Promise<Trouble | undefined>;
  /** Takes back everything that is published in this way: Tailscale knows no finer command. Answers why not. */
  withdraw(mode: PublishMode): Promise<Trouble | undefined>;
  /** What is published now; undefined when Tailscale does not say. */
  publications(): Promise<readonly Publication[] | undefined>;
  readonly whois: Whois;
}

/** What others of the tailnet call this machine. */
export interface TailnetNames {
  readonly dnsName: string | undefined;
  readonly addresses: readonly string[];
}

const askMs = 5000;
/** Tailscale asks its own servers first, and waits where something has to be enabled. */
const publishMs = 20_000;

export function createTailscale(host: TailscaleHost): Tailscale {
  const program = createProgram(host);
  const { os, clock } = host;
  return {
    status: async () => readState(await program(["status", "--json"], askMs), os),
    publish: async (mode, target) => refusalOf(mode, await program(publishArguments(mode, target), publishMs), os),
    withdraw: async (mode) => refusalOf(mode, await program([mode, "reset"], askMs), os),
    publications: async () => readPublications(await program(["serve", "status", "--json"], askMs)),
    whois: createWhois(program, clock),
  };
}

/** The names of this machine in the tailnet; undefined while it is in none. */
export async function tailnetNames(tailscale: Pick<Tailscale, "status">): Promise<TailnetNames | undefined> {
  const state = await tailscale.status();
  return state.kind === "running" ? { dnsName: state.dnsName, addresses: state.addresses } : undefined;
}
