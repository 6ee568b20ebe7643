import type { Net, Server, ServeOptions } from "../host/host.ts";
import type { Env, Fetch } from "../host/socket.ts";
import type { Tls } from "../tls/load.ts";

/** Where a gateway listens. */
export interface Place {
  readonly addresses: readonly string[];
  /** 0 stands for any free port. */
  readonly port: number;
  readonly tls?: Tls | undefined;
}

/**
 * The listening sockets, which outlive what answers behind them: while one gateway makes way for the next, nobody is
 * refused. Requests wait instead, so many and so long.
 */
export interface Front {
  /** The port in use, also when 0 was asked for; 0 before anything is open. */
  readonly port: number;
  /** The hosts listened on, in the order of the place. */
  readonly addresses: readonly string[];
  /** What the connections are encrypted with; undefined when they are not. */
  readonly tls: Tls | undefined;
  /** Listens at this place and nowhere else; what is open there already stays open. Rejects with what is gone closed. */
  listen(place: Place): Promise<void>;
  /** Gives every request to this from now on, those that wait first. */
  serve(answer: Fetch): void;
  /** Lets requests wait from now on. Resolves when those given away before are answered, or after `graceMs`. */
  hold(graceMs: number): Promise<void>;
  /** Stops listening; who still waits is told to come back. */
  close(graceMs: number): Promise<void>;
}

export interface FrontOptions extends Omit<ServeOptions, "hostname" | "port" | "tls"> {
  readonly net: Pick<Net, "serve">;
  readonly clock: { after(ms: number, work: () => void): () => void };
}

interface Open {
  readonly server: Server;
  /** The port that was asked for. */
  readonly asked: number;
  readonly tls: Tls | undefined;
}

/** Requests that wait at once; each holds a socket. */
const maxWaiting = 1024;
/** Less than the ten seconds after which Bun gives up on a request that nothing was sent for. */
const waitMs = 8000;
const graceAtMoveMs = 1000;

export function createFront({ net, clock, ...limits }: FrontOptions): Front {
  const waiting = new Set<(answer: Fetch | undefined) => void>();
  let open: readonly Open[] = [];
  let current: Fetch | undefined;
  let answering = 0;
  let idle: (() => void) | undefined;

  async function fetch(request: Request, env: Env): Promise<Response> {
    const answer = current ?? (await next());
    if (!answer) return comeBack();
    answering++;
    try {
      return await answer(request, env);
    } finally {
      if (--answering === 0) idle?.();
    }
  }

  function next(): Promise<Fetch | undefined> {
    if (waiting.size >= maxWaiting) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const late = clock.after(waitMs, () => go(undefined));
      const go = (answer: Fetch | undefined): void => {
        late();
        waiting.delete(go);
        resolve(answer);
      };
      waiting.add(go);
    });
  }

  function release(answer: Fetch | undefined): void {
    current = answer;
    // Each leaves the set as it goes, which a Set allows while it is walked.
    for (const go of waiting) go(answer);
  }

  async function closeAll(which: readonly Open[], graceMs: number): Promise<void> {
    open = open.filter((each) => !which.includes(each));
    await Promise.all(which.map(({ server }) => server.close(graceMs)));
  }

  async function openOne(hostname: string, { port: asked, tls }: Place): Promise<void> {
    // Every address has the same port, also when the system chose it for the first.
    const port = asked === 0 ? (open.find((each) => each.asked === 0)?.server.port ?? 0) : asked;
    const server = await net.serve({ ...limits, hostname, port, ...(tls ? { tls: materialOf(tls) } : {}) }, fetch);
    open = [...open, { server, asked, tls }];
  }

  return {
    get port() {
      return open[0]?.server.port ?? 0;
    },
    get addresses() {
      return open.map(({ server }) => server.hostname);
    },
    get tls() {
      return open[0]?.tls;
    },
    async listen(place) {
      const { addresses, port } = place;
      const stays = ({ server, asked, tls }: Open): boolean =>
        asked === port && addresses.includes(server.hostname) && sameMaterial(tls, place.tls);
      // On its own port a gone address may be in the way of `0.0.0.0`, which means all of them, and one that is encrypted
      // otherwise is in the way of itself.
      const inTheWay = open.filter((each) => each.asked === port && !stays(each));
      await closeAll(inTheWay, graceAtMoveMs);
      const before = open;
      const has = (hostname: string): boolean =>
        before.some((each) => stays(each) && each.server.hostname === hostname);
      try {
        for (const hostname of addresses) if (!has(hostname)) await openOne(hostname, place);
      } catch (error) {
        await closeAll(
          open.filter((each) => !before.includes(each)),
          0,
        );
        throw error;
      }
      await closeAll(
        open.filter((each) => !stays(each)),
        graceAtMoveMs,
      );
      open = open.toSorted((a, b) => addresses.indexOf(a.server.hostname) - addresses.indexOf(b.server.hostname));
    },
    serve: release,
    hold(graceMs) {
      current = undefined;
      if (answering === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const late = clock.after(graceMs, resolve);
        idle = () => {
          idle = undefined;
          late();
          resolve();
        };
      });
    },
    async close(graceMs) {
      release(undefined);
      await closeAll(open, graceMs);
    },
  };
}

function materialOf({ cert, key, ca }: Tls): NonNullable<ServeOptions["tls"]> {
  return { cert, key, ...(ca === undefined ? {} : { ca }) };
}

function sameMaterial(a: Tls | undefined, b: Tls | undefined): boolean {
  return a?.cert === b?.cert && a?.key === b?.key && a?.ca === b?.ca;
}

function comeBack(): Response {
  const error = { message: "the gateway is restarting: try again", type: "restarting" };
  return Response.json({ error }, { status: 503, headers: { "cache-control": "no-store", "retry-after": "1" } });
}
