import type { ConfigStore } from "../config/config.ts";
import type { Advertiser } from "../discovery/advertise.ts";
import { beaconOf, hostLabel, type BeaconFacts } from "../discovery/beacon.ts";
import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import { isAbsolute, join, setting, type Paths } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { planAnnouncing, type AnnouncingPlan } from "./announcing-plan.ts";
import { tailnetAddresses } from "../host/addresses.ts";
import { createNameMemory } from "./name-memory.ts";
import { updateZone } from "./wide-area.ts";

/** Tells the network about a gateway that listens. Nothing here keeps the gateway from starting or ending. */
export interface Announcing {
  /** Announces the gateway as it is now, in place of what was announced before; begins and returns at once. */
  refresh(): void;
  /** Says goodbye. Resolves when that is said, or after a moment. */
  close(): Promise<void>;
}

export interface AnnouncingOptions {
  readonly host: Host;
  readonly flavour: Flavour;
  readonly paths: Pick<Paths, "state">;
  readonly config: Pick<ConfigStore, "current">;
  readonly log: Logger;
  readonly gateway: {
    readonly port: number;
    readonly addresses: readonly string[];
    readonly tls: { readonly fingerprint: string } | undefined;
  };
  /** This gateway has nothing to announce: it stands by, or runs in safe mode. */
  readonly silent: () => boolean;
}

/** So long a goodbye may take: it is one packet for each interface, and nobody waits for an answer. */
const goodbyeMs = 300;

export function createAnnouncing(options: AnnouncingOptions): Announcing {
  const { host, log } = options;
  const memory = createNameMemory(host, join(options.paths.state, "announced.json"), log);
  let plan: AnnouncingPlan | undefined;
  let facts: BeaconFacts | undefined;
  let advertiser: Advertiser | undefined;
  let said = "";
  let turn: Promise<void> = Promise.resolve();
  let closed = false;
  let gone: Promise<void> | undefined;

  async function announce(): Promise<void> {
    if (closed) return;
    const { config, gateway } = options;
    const silent = options.silent();
    const disabled = setting(host, options.flavour, "DISABLE_BONJOUR");
    const { mdns, wideArea: settings } = config.current().value.discovery;
    const { addresses } = gateway;
    plan = silent ? undefined : planAnnouncing({ mdns, disabled, addresses, dualStack: host.net.dualStack });
    facts = await factsOf(options, plan);
    await onLocalNetwork(facts);
    // The state folder may be another process's by now.
    if (!silent && !closed) await updateZone({ ...options, settings, log: log.child("discovery") }, facts);
  }

  async function onLocalNetwork(current: BeaconFacts): Promise<void> {
    if (!plan) {
      await advertiser?.close();
      advertiser = undefined;
      said = "";
    } else {
      const beacon = beaconOf(current, plan.mode);
      if (advertiser) advertiser.update(beacon);
      else {
        // Loaded when used: a gateway on loopback never needs it.
        const { startAdvertiser } = await import("../discovery/advertise.ts");
        advertiser = await startAdvertiser(host, beacon, {
          log: log.child("bonjour"),
          interfaces: used,
          numbers: await memory.recall(beacon),
          renamed(_, numbers) {
            if (!closed && facts && plan) void memory.keep(beaconOf(facts, plan.mode), numbers);
            follow();
          },
        });
      }
      follow();
      say(plan, advertiser.names.instance);
    }
  }

  /** Names that somebody else had are in the TXT record too. */
  function follow(): void {
    if (!advertiser || !facts || !plan || closed) return;
    const { hostname } = advertiser.names;
    const beacon = beaconOf(facts, plan.mode);
    const txt = beaconOf({ ...facts, hostname }, plan.mode).txt;
    if (hostname !== facts.hostname) advertiser.update({ ...beacon, txt });
  }

  function used(each: Parameters<AnnouncingPlan["uses"]>[0]): boolean {
    return plan?.uses(each, host.net.interfaces()) ?? false;
  }

  function say({ mode }: AnnouncingPlan, instance: string): void {
    const names = [
      ...new Set(
        host.net
          .interfaces()
          .filter(used)
          .map(({ name }) => name),
      ),
    ];
    const line =
      names.length > 0
        ? `✓ announcing "${instance}" on ${names.join(", ")}${mode === "full" ? " (full)" : ""}`
        : "not announced: no private network here (discovery.mdns.publicNetworks allows public ones)";
    if (line !== said) log.info(line);
    said = line;
  }

  const begin = (work: () => Promise<void>): Promise<void> => {
    turn = turn.then(work).catch((error: unknown) => {
      log.warn("the gateway could not be announced", { error: Failure.from(error).message });
    });
    return turn;
  };
  return {
    refresh: () => void begin(announce),
    close() {
      closed = true;
      gone ??= begin(async () => advertiser?.close());
      const said = gone;
      return new Promise((resolve) => {
        const late = host.clock.after(goodbyeMs, resolve);
        void said.then(() => {
          late();
          resolve();
        });
      });
    },
  };
}

/** What the gateway knows of itself; `*_MDNS_HOSTNAME` and the like say it better (cli.md 6.1). */
async function factsOf(
  { host, flavour, gateway }: AnnouncingOptions,
  plan: AnnouncingPlan | undefined,
): Promise<BeaconFacts> {
  const own = hostLabel(host.hostname, flavour.id);
  return {
    flavour,
    displayName: own,
    hostname: hostLabel(setting(host, flavour, "MDNS_HOSTNAME") ?? own, own),
    port: gateway.port,
    reachable: plan?.reachable ?? false,
    tlsFingerprint: gateway.tls?.fingerprint,
    tailnetDns: setting(host, flavour, "TAILNET_DNS") ?? (await magicDns(host)),
    cliPath: setting(host, flavour, "CLI_PATH") ?? host.self.findLast(isAbsolute),
    sshPort: portOf(setting(host, flavour, "SSH_PORT")),
  };
}

/** The name that Tailscale gives this machine, if it is in a tailnet. */
async function magicDns(host: Host): Promise<string | undefined> {
  if (tailnetAddresses(host.net.interfaces()).length === 0) return undefined;
  const { createTailscale, tailnetNames } = await import("../tailscale/tailscale.ts");
  return (await tailnetNames(createTailscale(host)))?.dnsName;
}

function portOf(text: string | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? "") ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}
