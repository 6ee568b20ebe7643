import type { Scope } from "../service/service.ts";
import { serviceNames } from "../service/names.ts";
import type { Place } from "./plan.ts";

/** Stops the gateway's service, so that it does not write into what is being removed; answers whether there was one. */
export async function stopService(place: Place): Promise<boolean> {
  const { names, scopes } = await installedScopes(place);
  for (const scope of scopes) await place.host.services?.control("stop", names, scope);
  return scopes.length > 0;
}

/** Stops and removes the gateway's service; answers its files, none when it was not installed. */
export async function removeService(place: Place): Promise<readonly string[]> {
  const { names, scopes } = await installedScopes(place);
  const removed: string[] = [];
  for (const scope of scopes) removed.push(...((await place.host.services?.uninstall(names, scope)) ?? []));
  return removed;
}

/** Where it is installed; the machine's first, because who may not touch it is to be told before anything is done. */
async function installedScopes({ host, flavour, paths }: Place) {
  const names = serviceNames(host, flavour, paths);
  const scopes: Scope[] = [];
  for (const scope of host.services?.kind === "systemd" ? (["system", "user"] as const) : (["user"] as const))
    if (await host.services?.installed(names, scope)) scopes.push(scope);
  return { names, scopes };
}
