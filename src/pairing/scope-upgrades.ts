import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Events } from "../kit/events.ts";
import type { Caller } from "../protocol/caller.ts";
import { browserClients } from "../protocol/connect.ts";
import { isScope } from "../protocol/scope.ts";
import type { DeviceEvents, DeviceRequest, ScopeUpgrade, ScopeUpgrades } from "./devices.ts";
import { type Asked, type DeviceRecord, liveToken } from "./record.ts";
import { LIFETIME_MS } from "./waiting.ts";

/** What asking for more scopes needs of the registry. */
export interface UpgradeGround {
  readonly clock: Clock;
  readonly events: Events<DeviceEvents>;
  readonly decide: <T>(decision: () => Promise<T>) => Promise<T>;
  readonly find: (deviceId: string) => DeviceRecord | undefined;
  readonly waiting: () => readonly DeviceRequest[];
  /** Puts a request on the list of those that wait, within a decision. */
  readonly ask: (asked: Asked) => Promise<DeviceRequest>;
}

/** The scope upgrades of a registry (protocol.md 3.6): requests like any other, by a device that is connected. */
export function createScopeUpgrades({ clock, events, decide, find, waiting, ask }: UpgradeGround): ScopeUpgrades {
  /** How requests that were made here ended, newest last; whoever asked may come for it a little later. */
  const decisions = new Map<string, { readonly deviceId: string; readonly approved: boolean | undefined }>();

  function remember(requestId: string, decision: { deviceId: string; approved: boolean | undefined }): void {
    decisions.delete(requestId);
    decisions.set(requestId, decision);
    for (const oldest of decisions.keys()) {
      if (decisions.size <= MOST_REMEMBERED) break;
      decisions.delete(oldest);
    }
  }

  events.on("resolved", ({ requestId, deviceId, decision }) => {
    if (decisions.has(requestId)) remember(requestId, { deviceId, approved: decision === "approved" });
  });

  /** Waits for the decision over a request that is on the list: true or false, or undefined when there was none in time. */
  function decided({ requestId, ts }: DeviceRequest, signal: AbortSignal): Promise<boolean | undefined> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        stop();
        cancel();
        signal.removeEventListener("abort", abort);
        settle();
      };
      const abort = (): void => end(() => reject(new Failure("aborted", "the connection closed")));
      const stop = events.on("resolved", (event) => {
        if (event.requestId === requestId) end(() => resolve(event.decision === "approved"));
      });
      const cancel = clock.after(ts + LIFETIME_MS - clock.now(), () => end(() => resolve(undefined)));
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort);
    });
  }

  return {
    request: (caller, scopes) =>
      decide(async () => {
        const { record } = identityOf(caller);
        const unknown = scopes.find((scope) => !isScope(scope));
        if (unknown !== undefined) throw new Failure("invalid-request", `unknown scope: ${unknown.slice(0, 64)}`);
        const request = await ask(askedFor(record, caller, scopes));
        const { requestId, deviceId } = request;
        if (!decisions.has(requestId)) remember(requestId, { deviceId, approved: undefined });
        return { requestId };
      }),

    async wait(caller, requestId, signal) {
      const { deviceId } = identityOf(caller);
      const known = decisions.get(requestId);
      const request = waiting().find((each) => each.requestId === requestId && each.deviceId === deviceId);
      const approved = request
        ? await decided(request, signal)
        : known?.deviceId === deviceId
          ? known.approved
          : undefined;
      return answer(deviceId, requestId, approved);
    },
  };

  function identityOf({ deviceId, role, client }: Caller): { deviceId: string; record: DeviceRecord } {
    const record = deviceId === undefined ? undefined : find(deviceId);
    const isPage = role === "operator" && browserClients.has(client.id);
    if (deviceId !== undefined && record && isPage && liveToken(record, "operator")) return { deviceId, record };
    throw new Failure(
      "invalid-request",
      "more scopes are given to a paired page only: open the Control UI over HTTPS or from localhost",
      { details: { code: "DEVICE_IDENTITY_REQUIRED", recommendedNextStep: "reopen_control_ui_securely" } },
    );
  }

  function answer(deviceId: string, requestId: string, approved: boolean | undefined): ScopeUpgrade {
    const token = approved ? liveToken(find(deviceId), "operator") : undefined;
    if (token) return { status: "approved", requestId, deviceToken: token.token, scopes: token.scopes };
    return { status: approved === undefined ? "expired" : "rejected", requestId };
  }
}

const MOST_REMEMBERED = 64;

function askedFor(record: DeviceRecord, caller: Caller, scopes: readonly string[]): Asked {
  const { deviceId, publicKey, displayName, platform, deviceFamily, clientId, clientMode } = record;
  return {
    deviceId,
    publicKey,
    displayName,
    platform,
    deviceFamily,
    clientId,
    clientMode,
    role: "operator",
    roles: ["operator"],
    scopes: scopes.filter(isScope),
    remoteIp: caller.address,
    browserOrigin: undefined,
    silent: false,
    isRepair: true,
  };
}
