import { bootMd } from "./boot-md.ts";
import { commandLogger } from "./command-logger.ts";
import type { Hook } from "./hook.ts";
import { sessionMemory } from "./session-memory.ts";

/** Every hook that there is. */
export const hooks: readonly Hook[] = [bootMd, commandLogger, sessionMemory];
