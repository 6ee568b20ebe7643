import { calls } from "./calls.ts";
import { commands } from "./commands.ts";
import { connections } from "./connections.ts";
import { durable } from "./durable.ts";
import { fanOut } from "./fan-out.ts";
import type { Figure } from "./figure.ts";
import { memory } from "./memory.ts";
import { oneOff } from "./one-off.ts";
import { size } from "./size.ts";
import { start } from "./start.ts";

/** Every figure, in the order of the table. */
export const figures: readonly Figure[] = [size, start, oneOff, memory, commands, calls, fanOut, durable, connections];
