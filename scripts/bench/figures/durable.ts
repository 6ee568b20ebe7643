import { ask, hello, rate } from "../caller.ts";
import { median, startGateway } from "../process.ts";
import type { Figure } from "./figure.ts";

/** The sessions that messages go to in turn. */
const sessions = 8;

/** What is on the disk when it is answered: messages into several sessions, and new sessions. */
export const durable = {
  name: "durable",
  rows: {
    single: { label: "durable messages, one at a time", unit: "/s" },
    deep: { label: "durable messages, 32 under way", unit: "/s" },
    created: { label: "a new session", unit: "ms", digits: 2 },
  },
  async measure({ gateway }, { seconds }) {
    const server = await startGateway({ gateway });
    try {
      const socket = await hello(server.port);
      let turn = 0;
      const text = (method: string, params: object) =>
        JSON.stringify({ type: "req", id: String(++turn), method, params });
      const create = async (key: string): Promise<number> => {
        const since = performance.now();
        const answer = await ask(socket, text("sessions.create", { key }));
        if (!answer.includes('"ok":true')) throw new Error(answer.slice(0, 300));
        return performance.now() - since;
      };
      const taken: number[] = [];
      for (let made = 0; made < 100; made++) taken.push(await create(`bench-${made}`));
      const message = "A note of a few words, as people write them.";
      const inject = () => text("chat.inject", { sessionKey: `agent:main:bench-${turn % sessions}`, message });
      const single = await rate(socket, inject, { depth: 1, seconds });
      const deep = await rate(socket, inject, { depth: 32, seconds });
      return { single: { value: single }, deep: { value: deep }, created: { value: median(taken) } };
    } finally {
      await server.stop();
    }
  },
} satisfies Figure;
