import { dial, hello, helloAsNode, isResponse } from "../caller.ts";
import { sleep, startBare, startGateway } from "../process.ts";
import type { Figure, Plan } from "./figure.ts";

/** One event to many: a node tells of its machine, and every operator hears it; four events under way at a time. */
export const fanOut = {
  name: "fan-out",
  rows: { deliveries: { label: "events delivered to many sockets", unit: "/s" } },
  async measure({ gateway, bare }, plan) {
    const server = await startGateway({ gateway });
    try {
      const payload = { cpuCount: 2, memoryTotalBytes: 8_000_000_000, memoryFreeBytes: 4_000_000_000 };
      const params = { event: "node.host.stats", payload };
      const trigger = JSON.stringify({ type: "req", id: "e", method: "node.event", params });
      const open = () => hello(server.port);
      const { perSecond, bytes } = await deliveries({ open, sender: await helloAsNode(server.port), trigger }, plan);
      return { deliveries: { value: perSecond, ...(bare ? { bare: await bareDeliveries(bare, bytes, plan) } : {}) } };
    } finally {
      await server.stop();
    }
  },
} satisfies Figure;

async function bareDeliveries(bare: readonly string[], bytes: number, plan: Plan): Promise<number> {
  const server = await startBare(bare, bytes);
  try {
    const open = () => dial(server.port);
    const { perSecond } = await deliveries({ open, sender: await open(), trigger: "fan" }, plan);
    return perSecond;
  } finally {
    await server.stop();
  }
}

interface Senders {
  readonly open: () => Promise<WebSocket>;
  readonly sender: WebSocket;
  /** What makes the server send an event. */
  readonly trigger: string;
}

async function deliveries(
  { open, sender, trigger }: Senders,
  { listeners, seconds }: Plan,
): Promise<{ perSecond: number; bytes: number }> {
  const all: WebSocket[] = [];
  while (all.length < listeners) {
    all.push(...(await Promise.all(Array.from({ length: Math.min(16, listeners - all.length) }, open))));
  }
  let [heard, bytes, running] = [0, 0, true];
  for (const socket of all) {
    socket.addEventListener("message", ({ data }) => {
      if (isResponse(data)) return;
      heard++;
      if (socket !== all[0]) return;
      bytes = String(data).length;
      if (running) sender.send(trigger);
    });
  }
  for (let index = 0; index < 4; index++) sender.send(trigger);
  await sleep(500);
  const [from, since] = [heard, performance.now()];
  await sleep(seconds * 1000);
  const perSecond = ((heard - from) * 1000) / (performance.now() - since);
  running = false;
  await sleep(500);
  for (const socket of all) socket.close();
  if (perSecond === 0) throw new Error("no event was heard");
  return { perSecond, bytes };
}
