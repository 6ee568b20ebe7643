// A gateway in a Durable Object, on workerd or Cloudflare Workers. In a project of yours the imports are from "clawlet"
// and "clawlet/workerd". One object is one gateway: it holds the sockets, and its database keeps everything.
import { answer, createSqlStorage, type SqlDatabase } from "../../adapters/workerd/embed.ts";
import { createGateway, type EmbeddedGateway } from "../../src/embed.ts";

interface Environment {
  readonly GATEWAY: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
  readonly GATEWAY_TOKEN: string;
  /** Where the page is from that talks to the gateway, such as `https://example.com`. */
  readonly PAGE_ORIGIN: string;
}

export class Gateway {
  readonly opened: Promise<EmbeddedGateway>;
  readonly token: string;

  constructor(state: { readonly storage: SqlDatabase }, { GATEWAY_TOKEN: token, PAGE_ORIGIN: page }: Environment) {
    this.token = token;
    this.opened = createGateway({
      ...createSqlStorage(state.storage),
      // `${…}` keeps the secret out of what `config.get` shows.
      config: {
        gateway: { auth: { token: "${GATEWAY_TOKEN}" }, controlUi: { allowedOrigins: [page] } },
        agents: { defaults: { model: "clawlet/echo" } },
      },
      env: { GATEWAY_TOKEN: token },
      // eslint-disable-next-line no-console -- workerd's way to its log
      log: ({ level, message, fields }) => console.log(level, message, fields),
    });
  }

  async fetch(request: Request): Promise<Response> {
    const gateway = await this.opened;
    const { pathname } = new URL(request.url);
    return pathname === "/approve" ? this.approve(gateway, request) : answer(gateway, request);
  }

  /** Lets in every device that waits. Who may do this is your program's to decide: here, whoever knows the token. */
  async approve(gateway: EmbeddedGateway, request: Request): Promise<Response> {
    if (request.headers.get("authorization") !== `Bearer ${this.token}`)
      return new Response("Forbidden", { status: 403 });
    const client = await gateway.connect();
    const { pending } = await client.call("device.pair.list", {});
    for (const { requestId } of pending) await client.call("device.pair.approve", { requestId });
    client.close();
    return Response.json({ approved: pending.length });
  }
}

// eslint-disable-next-line import/no-default-export -- workerd asks for it
export default {
  fetch(request: Request, { GATEWAY }: Environment): Promise<Response> {
    return GATEWAY.get(GATEWAY.idFromName("gateway")).fetch(request);
  },
};
