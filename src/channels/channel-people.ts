import type { Logger } from "../kit/log.ts";
import type { Policy, RoomPolicy } from "./channel-policy.ts";

/** How people and rooms are written in settings, to how they stand in messages. */
interface Spelling {
  readonly person: (id: string) => string;
  readonly room?: (id: string) => string;
}

/** A policy with people and rooms named as the network names them. */
export function withIds(policy: Policy, { person, room = (id) => id }: Spelling): Policy {
  const people = (ids: readonly string[]): readonly string[] => ids.map(person);
  const { direct, groups } = policy;
  const rooms: Record<string, RoomPolicy> = {};
  for (const [id, { allowFrom, ...rest }] of Object.entries(groups.rooms))
    rooms[room(id)] = allowFrom === undefined ? rest : { ...rest, allowFrom: people(allowFrom) };
  return {
    ...policy,
    direct: { ...direct, allowFrom: people(direct.allowFrom) },
    groups: { ...groups, allowFrom: people(groups.allowFrom), rooms },
  };
}

/** The same where all there is to it is what stands before an id elsewhere, such as `slack:`. */
export function withBareIds(policy: Policy, prefix: RegExp): Policy {
  return withIds(policy, { person: (id) => id.trim().replace(prefix, "") });
}

/** Says in the log which people are listed by something that is no id, and are therefore not let in (threat L). */
export function tellOfNames(log: Logger, { direct, groups }: Policy, isId: (text: string) => boolean): void {
  const rooms = Object.values(groups.rooms).flatMap(({ allowFrom = [] }) => allowFrom);
  const listed = new Set([...direct.allowFrom, ...groups.allowFrom, ...rooms]);
  for (const name of listed)
    if (name !== "*" && !isId(name))
      log.warn("a name lets nobody in, for anybody may take it: write the id that /whoami shows", { name });
}
