import * as v from "valibot";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Events } from "../kit/events.ts";
import { randomToken, sha256Hex, uuid } from "../kit/ids.ts";
import type { Logger } from "../kit/log.ts";
import { sameSecret } from "../kit/secret.ts";
import { allows, intersect, isScope, type Role, roles, type Scope } from "../protocol/scope.ts";
import { openCollection } from "../store/collection.ts";
import type { Store } from "../store/store.ts";
import type { Admission, DeviceEvents, SetupAccess, SetupCodes, SetupOutcome } from "./devices.ts";
import { type DeviceRecord, liveToken } from "./record.ts";

/** What setup codes need of the registry that they let devices into. */
export interface SetupGround {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: Events<DeviceEvents>;
  /** Runs a decision alone: nothing about devices or codes changes meanwhile. */
  readonly decide: <T>(decision: () => Promise<T>) => Promise<T>;
  readonly find: (deviceId: string) => DeviceRecord | undefined;
  /** Throws when there is no place for one more device. */
  readonly makeRoom: (deviceId: string) => void;
  /** Lets a device in, within a decision. */
  readonly enrol: (admission: Admission, handOff: readonly Scope[]) => Promise<DeviceRecord>;
}

/** The setup codes of a store (protocol.md 3.7): only hashes of them are kept. */
export async function openSetupCodes(ground: SetupGround): Promise<SetupCodes & { reload(): Promise<void> }> {
  const { store, clock, log, events } = ground;
  const codes = await openCollection(store, { key: "devices/bootstrap.json", entry: codeSchema, clock, log });
  /** By code: when its time is over by the clock that nobody can set. */
  const deadlines = new Map<string, number>();
  /** Codes whose device is being answered. */
  const answering = new Set<string>();

  const isOpen = ({ setupId, used, createdAtMs, expiresAtMs }: Code): boolean => {
    const now = clock.now();
    const inTime = now >= createdAtMs && now < expiresAtMs && clock.monotonic() < (deadlines.get(setupId) ?? 0);
    return inTime && !used;
  };

  /** Codes of before this process have as long as the clock says now, and not longer when it is set back later. */
  function limit(): void {
    deadlines.clear();
    for (const { setupId, expiresAtMs } of codes.all.values())
      deadlines.set(setupId, clock.monotonic() + Math.min(expiresAtMs - clock.now(), LIFETIME_MS));
  }

  async function save(changed: Code): Promise<void> {
    const now = clock.now();
    const others = [...codes.all.values()].filter(
      (code) => code.setupId !== changed.setupId && Math.abs(now - code.createdAtMs) < REMEMBERED_MS,
    );
    const [over, open] = [others.filter(({ used }) => used), others.filter(({ used }) => !used)];
    const kept = [...over, ...open, changed].slice(-MOST_KEPT);
    await codes.save(new Map(kept.map((code) => [code.setupId, code])));
    for (const id of deadlines.keys()) if (!codes.all.has(id)) deadlines.delete(id);
  }

  /** Looks at every open code, so that how long it takes says nothing about any of them. */
  async function match(given: string): Promise<Code | undefined> {
    const hash = await sha256Hex(given);
    let found: Code | undefined;
    for (const code of codes.all.values()) if ((await sameSecret(hash, code.hash)) && isOpen(code)) found = code;
    return found;
  }

  /** What the code may hand out now: its profile, and no more than its maker still holds. */
  function grantable({ access, createdBy }: Code): readonly Scope[] | undefined {
    if (createdBy === undefined) return profiles[access];
    const held = new Set<string>(liveToken(ground.find(createdBy), "operator")?.scopes ?? []);
    return allows(held, "operator.admin") ? intersect(profiles[access], held).filter(isScope) : undefined;
  }

  limit();
  return {
    create: (access, creator) =>
      ground.decide(async () => {
        if (!allows(creator.scopes, "operator.admin"))
          throw new Failure("forbidden", "a setup code hands out more than you hold: it needs operator.admin");
        if ([...codes.all.values()].filter(isOpen).length >= MOST_OPEN)
          throw new Failure("conflict", `${MOST_OPEN} setup codes are open: use one, or wait until one has expired`);
        const token = randomToken();
        const createdAtMs = clock.now();
        const createdBy = creator.deviceId && ground.find(creator.deviceId) ? creator.deviceId : undefined;
        const expiresAtMs = createdAtMs + LIFETIME_MS;
        const setupId = uuid();
        deadlines.set(setupId, clock.monotonic() + LIFETIME_MS);
        await save({ setupId, hash: await sha256Hex(token), access, createdBy, createdAtMs, expiresAtMs });
        return { setupId, token, expiresAtMs };
      }),

    redeem: (given, admission) =>
      ground.decide(async () => {
        const code = await match(given);
        const scopes = code && grantable(code);
        if (!code || !scopes || !rolesOf(code.access).includes(admission.role)) return undefined;
        ground.makeRoom(admission.deviceId);
        const { deviceId, role, client } = admission;
        const name = client.displayName?.trim().slice(0, 200) || undefined;
        // Used up on the disk before the device is let in: a crash between the two costs a new code, and no crash lets
        // two devices in by one.
        await save({ ...code, used: { deviceId, name, role, atMs: clock.now(), delivered: false } });
        const record = await ground.enrol(
          { ...admission, scopes: intersect(admission.scopes, scopes) },
          role === "node" ? scopes : [],
        );
        answering.add(code.setupId);
        const issued = roles.flatMap((each) => {
          const token = each === role || (role === "node" && scopes.length > 0) ? liveToken(record, each) : undefined;
          return token ? [{ token: token.token, role: each, scopes: token.scopes, issuedAtMs: token.createdAtMs }] : [];
        });
        return { setupId: code.setupId, issued };
      }),

    async answered(setupId, delivered) {
      answering.delete(setupId);
      const code = codes.all.get(setupId);
      if (!code?.used) return;
      const { used } = code;
      events.emit(delivered ? "setup.completed" : "setup.deliveryUncertain", outcome(setupId, code.access, used));
      if (!delivered) return;
      // What is not written down here is called uncertain after a restart, which is then the truth.
      await ground
        .decide(() => save({ ...code, used: { ...used, delivered: true } }))
        .catch((error: unknown) =>
          log.debug("that a setup code was delivered is not written down", { error: String(error) }),
        );
    },

    status(setupId) {
      const code = codes.all.get(setupId);
      if (!code?.used || answering.has(setupId)) return {};
      const what = outcome(setupId, code.access, code.used);
      return code.used.delivered ? { completion: what } : { deliveryUncertain: what };
    },

    async reload() {
      await codes.reload();
      limit();
    },
  };
}

const LIFETIME_MS = 600_000;
/** How long what became of a code can be asked. */
const REMEMBERED_MS = 2 * LIFETIME_MS;
const MOST_OPEN = 16;
const MOST_KEPT = 64;

/** The operator scopes that a code hands out. */
const profiles: Readonly<Record<SetupAccess, readonly Scope[]>> = {
  full: [
    "operator.admin",
    "operator.approvals",
    "operator.questions",
    "operator.read",
    "operator.talk.secrets",
    "operator.write",
  ],
  limited: ["operator.approvals", "operator.questions", "operator.read", "operator.talk.secrets", "operator.write"],
  node: [],
};

const usedSchema = v.object({
  deviceId: v.string(),
  name: v.optional(v.string()),
  role: v.picklist(roles),
  atMs: v.number(),
  delivered: v.boolean(),
});

const codeSchema = v.object({
  setupId: v.string(),
  /** SHA-256 of the token, in hex. */
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  access: v.picklist(["full", "limited", "node"]),
  /** The device that made it: with that device's rights the code ends too. */
  createdBy: v.optional(v.string()),
  createdAtMs: v.number(),
  expiresAtMs: v.number(),
  used: v.optional(usedSchema),
});

type Code = v.InferOutput<typeof codeSchema>;
type Used = v.InferOutput<typeof usedSchema>;

function rolesOf(access: SetupAccess): readonly Role[] {
  return access === "node" ? ["node"] : roles;
}

function outcome(setupId: string, access: SetupAccess, { deviceId, name, atMs }: Used): SetupOutcome {
  return { setupId, deviceId, ...(name === undefined ? {} : { deviceName: name }), access, ts: atMs };
}
