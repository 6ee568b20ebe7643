import { openRpc, type RpcPayload } from "./rpc-client.ts";
import { until, type GatewayProcess } from "./gateway-process.ts";

/** What callers met who came one after the other, each over a connection of its own, while a gateway restarted. */
export interface RestartFigures {
  readonly calls: number;
  /** Connections that were not accepted, with why. */
  readonly refused: readonly string[];
  /** Calls cut in the middle, which a client makes again. */
  readonly cut: number;
  /** Messages that were acknowledged, and those of them that no conversation has, or more than once. */
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly longestMs: number;
  /** From the signal to the line that says it listens again. */
  readonly restartMs: readonly number[];
}

const token = "a-token-of-this-test";

/** Restarts a gateway again and again under a constant load of calls; it has to have this token and `commands.restart`. */
export async function loadOverRestarts(
  gateway: Pick<GatewayProcess, "url" | "pid" | "stdout">,
  { restarts, callers = 4 }: { restarts: number; callers?: number },
): Promise<RestartFigures> {
  const refused: string[] = [];
  const acknowledged: { readonly key: string; readonly text: string }[] = [];
  const restartMs: number[] = [];
  const load = { over: false };
  let [calls, cut, longestMs] = [0, 0, 0];

  async function caller(number: number): Promise<void> {
    const key = `agent:main:restart-${number}`;
    for (let turn = 0; !load.over; turn++) {
      const began = performance.now();
      const client = await openRpc(gateway.url, { auth: { token } }).catch((error: unknown) => {
        // A hello that is cut by the restart was a connection; any other failure was not.
        if (String(error) === "Error: closed") cut++;
        else refused.push(String(error));
      });
      if (!client) continue;
      const text = `message ${number}-${turn}.`;
      try {
        await (turn % 2 === 0
          ? client.call("chat.inject", { sessionKey: key, message: text })
          : client.call("health").then(() => undefined));
        if (turn % 2 === 0) acknowledged.push({ key, text });
        calls++;
      } catch {
        cut++; // told by close code 1012 to come again, which the next turn does
      }
      client.close();
      await client.closed;
      longestMs = Math.max(longestMs, performance.now() - began);
    }
  }

  const first = await openRpc(gateway.url, { auth: { token } });
  for (let number = 0; number < callers; number++) {
    await first.call("sessions.create", { key: `agent:main:restart-${number}` });
  }
  first.close();
  const everybody = Promise.all(Array.from({ length: callers }, (_, number) => caller(number)));
  const boots = (): number => gateway.stdout().split("listening on ws://127.0.0.1").length;
  for (let number = 0; number < restarts; number++) {
    const [began, before, callsBefore] = [performance.now(), boots(), calls];
    process.kill(gateway.pid, "SIGUSR1");
    await until("restart", () => boots() > before || undefined, 20_000);
    restartMs.push(performance.now() - began);
    await until("calls after the restart", () => calls >= callsBefore + 2 * callers || undefined, 20_000);
  }
  load.over = true;
  await everybody;

  const client = await openRpc(gateway.url, { auth: { token } });
  const said = new Map<string, string>();
  for (let number = 0; number < callers; number++) {
    const sessionKey = `agent:main:restart-${number}`;
    const history: RpcPayload = await client.call("chat.history", { sessionKey, limit: 1000 });
    said.set(sessionKey, JSON.stringify(history.messages));
  }
  client.close();
  const lost = acknowledged.filter(({ key, text }) => (said.get(key) ?? "").split(text).length !== 2);
  return {
    calls,
    refused,
    cut,
    acknowledged: acknowledged.length,
    lost: lost.map(({ text }) => text),
    longestMs,
    restartMs,
  };
}
