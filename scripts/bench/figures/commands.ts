import { environment, median, startGateway, timeCommand } from "../process.ts";
import type { Figure } from "./figure.ts";

/** Whole commands, from the start of the process to its end. */
export const commands = {
  name: "commands",
  rows: {
    version: { label: "`--version`", unit: "ms" },
    health: { label: "`gateway health`", unit: "ms" },
  },
  async measure({ gateway }, { repeats }) {
    const server = await startGateway({ gateway });
    const env = { ...environment(server.home), OPENCLAW_GATEWAY_PORT: String(server.port) };
    async function middle(...args: readonly string[]): Promise<{ value: number }> {
      const taken: number[] = [];
      for (let turn = 0; turn <= repeats; turn++) taken.push(await timeCommand([...gateway, ...args], env));
      return { value: median(taken.slice(1)) };
    }
    try {
      return { version: await middle("--version"), health: await middle("gateway", "health") };
    } finally {
      await server.stop();
    }
  },
} satisfies Figure;
