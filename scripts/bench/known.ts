import type { Column } from "./table.ts";

/** The reference gateway's figures as they were read once, for where its package is not installed beside. */
export const knownReference: Column = {
  name: "reference",
  version: "",
  readings: {
    "size.installed": { value: 647 },
    "size.packages": { value: 330 },
    "start.answering": { value: 8300 },
    "memory.resident": { value: 852 },
    "commands.version": { value: 111 },
    "commands.health": { value: 1566 },
    "connections.each": { value: 39 },
    "durable.created": { value: 18.9 },
  },
};
