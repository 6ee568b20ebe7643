import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import type { Admission, Admitted, DeviceEvents } from "../../src/pairing/devices.ts";
import { type DeviceRegistry, loadDevices } from "../../src/pairing/registry.ts";
import type { Caller } from "../../src/protocol/caller.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

export interface Bench {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly devices: DeviceRegistry;
  readonly logged: LogRecord[];
  /** Every event of the registry, in order. */
  readonly events: { readonly name: keyof DeviceEvents; readonly payload: unknown }[];
}

/** A device registry over a store, with all that it says. */
export async function openBench(store: Store = createMemoryStore(), clock = createFakeClock()): Promise<Bench> {
  const logged: LogRecord[] = [];
  const log = createLogger(() => clock.now(), [(record) => logged.push(record)]);
  const devices = await loadDevices(store, clock, log);
  const events: Bench["events"] = [];
  const names = ["requested", "resolved", "revoked", "changed", "setup.completed", "setup.deliveryUncertain"] as const;
  for (const name of names) devices.on(name, (payload) => void events.push({ name, payload }));
  return { store, clock, devices, logged, events };
}

/** A device's connect from this machine with the secret, unless `more` says otherwise. */
export function connect(device: string, more: Partial<Admission> = {}): Admission {
  return {
    deviceId: device.padEnd(64, "0"),
    publicKey: device.padEnd(43, "A"),
    role: "operator",
    scopes: ["operator.read"],
    client: { id: "cli", version: "1", platform: "linux", mode: "cli" },
    remoteIp: "127.0.0.1",
    silent: true,
    secret: "proved",
    ...more,
  };
}

export const elsewhere = { silent: false, remoteIp: "192.0.2.7" } as const;

export function caller(scopes: readonly string[], more: Partial<Caller> = {}): Caller {
  return {
    connId: "conn-1",
    protocol: 4,
    role: "operator",
    scopes: new Set(scopes),
    method: "token",
    client: { id: "cli", version: "1", platform: "linux", mode: "cli" },
    caps: new Set(),
    address: "127.0.0.1",
    local: true,
    ...more,
  };
}

export const admin = caller(["operator.admin"]);

export function paired(answer: Admitted): Extract<Admitted, { outcome: "paired" }> {
  if (answer.outcome === "paired") return answer;
  throw new Error(`pending: ${answer.reason}`);
}

export function pending(answer: Admitted): Extract<Admitted, { outcome: "pending" }> {
  if (answer.outcome === "pending") return answer;
  throw new Error("paired");
}

/** The message that a promise rejects with. */
export async function refusal(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => "nothing was refused",
    (error: Error) => error.message,
  );
}
