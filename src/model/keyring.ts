import type { Clock } from "../host/host.ts";
import type { Logger } from "../kit/log.ts";
import type { Store } from "../store/store.ts";
import {
  type ProfileFile,
  profilesKey,
  readProfiles,
  type StoredProfile,
  withoutProfiles,
  withStats,
} from "./auth-profiles.ts";
import type { UsageStats } from "./cooldowns.ts";

/** The stored credentials of the agents, and how every credential fares, those that are not stored included. */
export interface Keyring {
  /** What the agent may use: its own profiles over the main agent's. The files are read anew: others write them too. */
  read(agentId: string): Promise<readonly KeptProfile[]>;
  /** Providers of the profiles that were there when last read: the same set until they are others. */
  providers(): ReadonlySet<string>;
  /** How a credential fares, a stored one as it was when last read. A secret that was replaced begins anew. */
  readonly statsOf: (credential: Used) => UsageStats;
  /** A credential is used: remembered at once, on the disk within a minute of use. */
  use(credential: Used): Promise<void>;
  /** Changes how a credential fares. On the disk when it resolves, as far as the disk can be written. */
  change(credential: Used, edit: (stats: UsageStats) => UsageStats): Promise<void>;
  /** Removes profiles from the files that the agent's come from; answers those that were there. */
  remove(agentId: string, ids: ReadonlySet<string>): Promise<readonly string[]>;
}

export interface KeptProfile extends StoredProfile {
  readonly stats: UsageStats;
}

/** A credential by name and secret: the name alone does not tell two agents' profiles apart, nor an old key from a new. */
export interface Used {
  readonly profileId: string;
  readonly secret: string;
}

interface KeyringOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createKeyring({ store, clock, log }: KeyringOptions): Keyring {
  const files = new Map<string, ProfileFile>();
  let providers: ReadonlySet<string> = new Set();
  /** Of credentials that are not stored, and of those whose file could not be written. */
  const unsaved = new Map<string, UsageStats>();
  const lastUsed = new Map<string, number>();
  const told = new Set<string>();

  function warnOnce(key: string, message: string, error?: unknown): void {
    if (told.has(key)) return;
    told.add(key);
    log.warn(message, error === undefined ? {} : { error });
  }

  async function load(agentId: string): Promise<ProfileFile> {
    const key = profilesKey(agentId);
    let file: ProfileFile | undefined;
    try {
      file = readProfiles(await store.read(key));
      if (file) told.delete(key);
      else warnOnce(key, `${key} is not a JSON object: its credentials are not used; repair it, or move it away`);
    } catch (error) {
      warnOnce(key, `${key} could not be read: its credentials are not used`, error);
    }
    files.set(agentId, file ?? nothing);
    const now = new Set([...files.values()].flatMap(({ profiles }) => profiles.map(({ provider }) => provider)));
    if (now.size !== providers.size || [...now].some((provider) => !providers.has(provider))) providers = now;
    return file ?? nothing;
  }

  function statsIn(file: ProfileFile, credential: Used): UsageStats {
    const name = nameOf(credential);
    const stats = unsaved.get(name) ?? file.stats.get(credential.profileId) ?? {};
    const used = lastUsed.get(name);
    return used === undefined || used < (stats.lastUsed ?? 0) ? stats : { ...stats, lastUsed: used };
  }

  const ringOf = (agentId: string): readonly string[] =>
    agentId !== "main" && isAgentId(agentId) ? [agentId, "main"] : ["main"];
  const ownerOf = ({ profileId, secret }: Used): string | undefined =>
    [...files].find(([, { profiles }]) => profiles.some((one) => one.id === profileId && one.secret === secret))?.[0];

  const keyring: Keyring = {
    async read(agentId) {
      const kept = new Map<string, KeptProfile>();
      for (const owner of ringOf(agentId)) {
        const file = await load(owner);
        for (const profile of file.profiles.filter(({ id }) => !kept.has(id))) {
          const stats = statsIn(file, { profileId: profile.id, secret: profile.secret });
          kept.set(profile.id, { ...profile, stats });
        }
      }
      return [...kept.values()];
    },
    providers: () => providers,
    statsOf(credential) {
      const owner = ownerOf(credential);
      return statsIn(owner === undefined ? nothing : (files.get(owner) ?? nothing), credential);
    },
    async use(credential) {
      const name = nameOf(credential);
      const owner = ownerOf(credential);
      const written = owner === undefined ? undefined : files.get(owner)?.stats.get(credential.profileId)?.lastUsed;
      remember(lastUsed, name, clock.now());
      if (owner !== undefined && Math.abs(clock.now() - (written ?? 0)) > LAZY_MS)
        await keyring.change(credential, (stats) => ({ ...stats, lastUsed: clock.now() }));
    },
    async change(credential, edit) {
      const name = nameOf(credential);
      const owner = ownerOf(credential);
      if (owner === undefined) return remember(unsaved, name, edit(unsaved.get(name) ?? {}));
      const key = profilesKey(owner);
      let changed: UsageStats = {};
      try {
        await store.change(key, (text) =>
          withStats(text, credential.profileId, (stats) => (changed = edit(unsaved.get(name) ?? stats))),
        );
        unsaved.delete(name);
        told.delete(`${key} write`);
      } catch (error) {
        remember(unsaved, name, edit(unsaved.get(name) ?? files.get(owner)?.stats.get(credential.profileId) ?? {}));
        warnOnce(`${key} write`, `${key} could not be written: rests of credentials end with this process`, error);
        return;
      }
      const file = files.get(owner) ?? nothing;
      files.set(owner, { ...file, stats: new Map([...file.stats, [credential.profileId, changed]]) });
    },
    async remove(agentId, ids) {
      const removed = new Set<string>();
      for (const owner of ringOf(agentId)) {
        const there = (await load(owner)).profiles.filter(({ id }) => ids.has(id));
        if (there.length === 0) continue;
        await store.change(profilesKey(owner), (text) => withoutProfiles(text, ids));
        for (const { id } of there) removed.add(id);
        await load(owner);
      }
      return [...removed];
    },
  };
  return keyring;
}

const nothing: ProfileFile = { profiles: [], stats: new Map() };
const LAZY_MS = 60_000;
/** More credentials than anyone has; the oldest is forgotten first. */
const REMEMBERED = 1_000;

function nameOf({ profileId, secret }: Used): string {
  return `${profileId}\n${secret}`;
}

function remember<T>(map: Map<string, T>, name: string, value: T): void {
  map.delete(name);
  map.set(name, value);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED && oldest !== undefined) map.delete(oldest);
}

/** Whether an agent's id may be the name of a folder (threat M). */
function isAgentId(id: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(id);
}
