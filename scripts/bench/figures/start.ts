import { hello } from "../caller.ts";
import { median, startBare, startGateway, type Started } from "../process.ts";
import type { Figure } from "./figure.ts";

/** How long a start takes: until the port takes a connection, and until a caller has been told who it is. */
export const start = {
  name: "start",
  rows: {
    listening: { label: "start to listening", unit: "ms" },
    answering: { label: "start to first answer", unit: "ms" },
  },
  async measure({ gateway, bare }, { repeats }) {
    const answering: number[] = [];
    const listening = await starts(
      () => startGateway({ gateway }),
      repeats,
      async ({ port, startedAt }) => {
        const socket = await helloWhenReady(port);
        answering.push(performance.now() - startedAt);
        socket.close();
      },
    );
    return {
      listening: { value: listening, ...(bare ? { bare: await starts(() => startBare(bare), repeats) } : {}) },
      answering: { value: median(answering.slice(1)) },
    };
  },
} satisfies Figure;

/** The middle time to listening; the first start reads the files from the disk and is left out. */
async function starts(
  begin: () => Promise<Started>,
  repeats: number,
  look?: (server: Started) => Promise<void>,
): Promise<number> {
  const listening: number[] = [];
  for (let turn = 0; turn <= repeats; turn++) {
    const server = await begin();
    listening.push(server.listeningMs);
    try {
      await look?.(server);
    } finally {
      await server.stop();
    }
  }
  return median(listening.slice(1));
}

/** Some gateways listen before they can answer, and close or refuse until then. */
async function helloWhenReady(port: number): Promise<WebSocket> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    try {
      return await hello(port);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
