import type { Logger } from "../kit/log.ts";
import type { Policy, RoomPolicy } from "./channel-policy.ts";

/** A policy with people named as the network names them: without what stands before an id elsewhere, such as `slack:`. */
export function withBareIds(policy: Policy, prefix: RegExp): Policy {
  const bare = (ids: readonly string[]): readonly string[] => ids.map((id) => id.trim().replace(prefix, ""));
  const { direct, groups } = policy;
  const rooms: Record<string, RoomPolicy> = {};
  for (const [id, { allowFrom, ...room }] of Object.entries(groups.rooms))
    rooms[id] = allowFrom === undefined ? room : { ...room, allowFrom: bare(allowFrom) };
  return {
    ...policy,
    direct: { ...direct, allowFrom: bare(direct.allowFrom) },
    groups: { ...groups, allowFrom: bare(groups.allowFrom), rooms },
  };
}

/** Says in the log which people are listed by something that is no id, and are therefore not let in (threat L). */
export function tellOfNames(log: Logger, { direct, groups }: Policy, isId: (text: string) => boolean): void {
  const rooms = Object.values(groups.rooms).flatMap(({ allowFrom = [] }) => allowFrom);
  const listed = new Set([...direct.allowFrom, ...groups.allowFrom, ...rooms]);
  for (const name of listed)
    if (name !== "*" && !isId(name))
      log.warn("a name lets nobody in, for anybody may take it: write the id that /whoami shows", { name });
}
