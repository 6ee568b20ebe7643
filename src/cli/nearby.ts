import type { CommandContext } from "../commands/command.ts";
import type { Found } from "../discovery/resolve.ts";
import { Failure } from "../kit/error.ts";
import type { Discovered } from "./beacon-view.ts";
import { wideAreaPlace, type WideAreaPlace } from "./wide-area.ts";

type Context = Pick<CommandContext, "host" | "flavour" | "paths" | "output" | "signal">;

export interface Nearby extends Discovered {
  /** A sentence for each domain that could not be looked through: one way that fails must not hide what another finds. */
  readonly troubles: readonly string[];
}

/**
 * Looks for gateways that announce themselves, in the local network and in the wide-area domain. Connects to none of
 * them: what they say is a hint.
 */
export async function findNearby(
  context: Context,
  { timeoutMs, server }: { readonly timeoutMs: number; readonly server?: string | undefined },
): Promise<Nearby> {
  const { output } = context;
  const [place, { mergeBeacons, readBeacon }] = await Promise.all([
    wideAreaPlace(context, server),
    import("../discovery/read-beacon.ts"),
  ]);
  const domains = ["local.", ...(place ? [place.domain] : [])];
  const work = Promise.all([
    settled("local.", inLocalNetwork(context, timeoutMs)),
    ...(place ? [settled(place.domain, inWideArea(context, place, timeoutMs))] : []),
  ]);
  const looked = await output.progress(`Looking for gateways in ${domains.join(", ")}`, work);
  const found = looked.flatMap((each) => each.found);
  const beacons = mergeBeacons(found.map(readBeacon).filter((each) => each !== undefined));
  return { timeoutMs, domains, beacons, troubles: looked.flatMap(({ trouble }) => (trouble ? [trouble] : [])) };
}

async function inLocalNetwork(context: Context, timeoutMs: number): Promise<readonly Found[]> {
  const { host, flavour, signal } = context;
  const [{ browse }, { serviceTypes }] = await Promise.all([
    import("../discovery/browse.ts"),
    import("../discovery/beacon.ts"),
  ]);
  return browse(host, { types: serviceTypes(flavour), timeoutMs, signal });
}

async function inWideArea(context: Context, place: WideAreaPlace, timeoutMs: number): Promise<readonly Found[]> {
  const { host, flavour, signal } = context;
  const [{ browseWideArea }, { serviceTypes }] = await Promise.all([
    import("../discovery/wide-area.ts"),
    import("../discovery/beacon.ts"),
  ]);
  return browseWideArea(host.net, { ...place, types: serviceTypes(flavour), timeoutMs, signal });
}

async function settled(
  domain: string,
  work: Promise<readonly Found[]>,
): Promise<{ found: readonly Found[]; trouble?: string }> {
  try {
    return { found: await work };
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === "aborted") throw failure;
    return { found: [], trouble: `Could not look through ${domain}: ${failure.message}` };
  }
}
