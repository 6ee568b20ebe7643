import { memoryMb, sleep, startBare, startGateway, type Started } from "../process.ts";
import type { Figure } from "./figure.ts";

/** What a gateway holds that nobody talks to. */
export const memory = {
  name: "memory",
  rows: {
    resident: { label: "idle memory, resident", unit: "MB", digits: 1 },
    share: { label: "idle memory, shared pages divided", unit: "MB", digits: 1 },
  },
  async measure({ gateway, bare }, { idleMs }) {
    const [product, least] = [
      await idle(await startGateway({ gateway }), idleMs),
      bare && (await idle(await startBare(bare), idleMs)),
    ];
    return {
      resident: { value: product.resident, ...(least ? { bare: least.resident } : {}) },
      share: { value: product.share, ...(least ? { bare: least.share } : {}) },
    };
  },
} satisfies Figure;

async function idle(server: Started, ms: number): Promise<ReturnType<typeof memoryMb>> {
  try {
    await sleep(ms);
    return memoryMb(server.child);
  } finally {
    await server.stop();
  }
}
