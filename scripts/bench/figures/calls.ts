import { ask, dial, hello, rate } from "../caller.ts";
import { startBare, startGateway } from "../process.ts";
import type { Figure, Plan } from "./figure.ts";

const request = JSON.stringify({ type: "req", id: "health-1", method: "health" });

/** Calls of `health` over one connection, against a bare server that answers as many bytes. */
export const calls = {
  name: "calls",
  rows: {
    single: { label: "calls, one at a time", unit: "/s" },
    deep: { label: "calls, 32 under way", unit: "/s" },
  },
  async measure({ gateway, bare }, plan) {
    const server = await startGateway({ gateway });
    try {
      const socket = await hello(server.port);
      const bytes = (await ask(socket, request)).length;
      const product = await both(socket, plan);
      const least = bare && (await bareRates(bare, bytes, plan));
      return {
        single: { value: product.single, ...(least ? { bare: least.single } : {}) },
        deep: { value: product.deep, ...(least ? { bare: least.deep } : {}) },
      };
    } finally {
      await server.stop();
    }
  },
} satisfies Figure;

async function bareRates(bare: readonly string[], bytes: number, plan: Plan): ReturnType<typeof both> {
  const server = await startBare(bare, bytes);
  try {
    return await both(await dial(server.port), plan);
  } finally {
    await server.stop();
  }
}

async function both(socket: WebSocket, { seconds }: Plan): Promise<{ single: number; deep: number }> {
  const single = await rate(socket, () => request, { depth: 1, seconds });
  const deep = await rate(socket, () => request, { depth: 32, seconds });
  socket.close();
  return { single, deep };
}
