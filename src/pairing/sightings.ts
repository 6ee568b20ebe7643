import type { Role } from "../protocol/scope.ts";
import type { DeviceRecord } from "./record.ts";

/**
 * When devices were last seen and their tokens last used, held until the next write of the document takes them along: a
 * connect costs no write of its own.
 */
export interface Sightings {
  readonly empty: boolean;
  seen(deviceId: string, reason: string, at: number): void;
  used(deviceId: string, role: Role, at: number): void;
  /** The record with what was seen since it was written. */
  onto(record: DeviceRecord): DeviceRecord;
  /** Remembers this moment; what is returned forgets, after a write, what was seen until then. */
  mark(): () => void;
  forget(deviceId: string): void;
}

export function createSightings(): Sightings {
  const sightings = new Map<string, Sighting>();
  const update = (deviceId: string, more: Sighting): void =>
    void sightings.set(deviceId, { ...sightings.get(deviceId), ...more });
  return {
    get empty() {
      return sightings.size === 0;
    },
    seen: (deviceId, reason, at) => update(deviceId, { lastSeenAtMs: at, lastSeenReason: reason }),
    used: (deviceId, role, at) => update(deviceId, { lastSeenAtMs: at, lastSeenReason: "connect", [role]: at }),
    onto(record) {
      const sighting = sightings.get(record.deviceId);
      if (!sighting) return record;
      const { operator, node, ...seen } = sighting;
      const { tokens } = record;
      return {
        ...record,
        ...seen,
        tokens: {
          ...(tokens.operator && { operator: { ...tokens.operator, ...(operator && { lastUsedAtMs: operator }) } }),
          ...(tokens.node && { node: { ...tokens.node, ...(node && { lastUsedAtMs: node }) } }),
        },
      };
    },
    mark() {
      const then = new Map(sightings);
      return () => {
        for (const [deviceId, sighting] of then) if (sightings.get(deviceId) === sighting) sightings.delete(deviceId);
      };
    },
    forget: (deviceId) => void sightings.delete(deviceId),
  };
}

interface Sighting {
  readonly lastSeenAtMs?: number;
  readonly lastSeenReason?: string;
  /** When the token of this role was last used. */
  readonly operator?: number;
  readonly node?: number;
}
