import { rmSync } from "node:fs";
import { suite, test } from "uvu";
import * as assert from "uvu/assert";
import { act, actorFor, isActor } from "../support/actor.ts";
import { type GatewayProcess, makeHome, until } from "../support/gateway-process.ts";
import { outcome } from "../support/hostile/session.ts";
import { endLaunched } from "../support/launch.ts";
import { runCommandOn, startGatewayOn } from "../support/netns-gateway.ts";
import { expectOk, type Network, openNetwork } from "../support/netns.ts";
import { type Connected, connectOfficial, makeDevice, type TokenShelf } from "../support/official-client.ts";

// A gateway on one machine of a network and its clients on another one. The owner sits at the gateway.

const token = "a-token-of-this-test";

interface Guest {
  readonly device: ReturnType<typeof makeDevice>;
  readonly shelf: TokenShelf;
  connected?: Connected;
}

const guests = new Map<string, Guest>();

const acts = {
  /** Connects the official client as this guest; answers its scopes, or what the gateway said. */
  async connect(name: string, options: { url: string; token?: string; tlsFingerprint?: string }): Promise<string> {
    const guest: Guest = guests.get(name) ?? { device: makeDevice(), shelf: new Map() };
    guests.set(name, guest);
    const wish = { clientName: "openclaw-tui" as const, mode: "ui" as const, scopes: ["operator.read"] };
    try {
      guest.connected = await connectOfficial({ ...wish, ...guest, ...options });
      return `in as ${guest.connected.hello.auth.scopes.join(" ")}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
  /** Asks for the gateway's health over this guest's connection. */
  async ask(name: string): Promise<unknown> {
    const health = await guests.get(name)?.connected?.client.request<{ ok: boolean }>("health", {});
    return health?.ok;
  },
  /** Waits until this guest's connection ends. */
  async ended(name: string): Promise<string> {
    const { connected } = guests.get(name) ?? {};
    const end = await connected?.closed;
    await connected?.stop();
    return `closed ${end?.code} ${end?.reason}`;
  },
  async leave(name: string): Promise<void> {
    await guests.get(name)?.connected?.stop();
  },
  /** So many wrong tokens at once; answers how many of them were compared. */
  async guess(url: string, count: number): Promise<number> {
    const tries = Array.from({ length: count }, (_, index) => outcome({ url }, { auth: { token: `wrong-${index}` } }));
    return (await Promise.all(tries)).filter((seen) => seen.startsWith("AUTH_TOKEN_MISMATCH")).length;
  },
  attempt: (url: string, auth: Readonly<Record<string, string>>) => outcome({ url }, { auth }),
  async reach(url: string): Promise<number | string> {
    return fetch(url.replace(/^ws/, "http")).then(
      ({ status }) => status,
      () => "nobody answers",
    );
  },
};

async function prove(): Promise<void> {
  process.once("exit", endLaunched);
  const network = await openNetwork();
  if ("skipped" in network) {
    test("a client of the local network", () => void process.stdout.write(`skipped: ${network.skipped}\n`));
    test.run();
    return;
  }
  bindLan(network);
  guessing(network);
  clients(network);
  const last = suite("end");
  last("both sides are left", () => network.close());
  last.run();
}

function bindLan({ near, far }: Network): void {
  const it = suite("bind lan");
  const client = actorFor(acts, far);
  const second = "192.168.77.1";

  it.before(async () => {
    await expectOk(near.run(["ip", "address", "add", `${second}/24`, "dev", near.interfaceName]));
    await expectOk(far.run(["ip", "route", "add", "192.168.77.0/24", "dev", far.interfaceName]));
  });
  it.after(async () => {
    await expectOk(near.run(["ip", "address", "del", `${second}/24`, "dev", near.interfaceName]));
    await client.end();
  });

  it("SC-007 SC-041 SC-045 with a token it listens on every address, and says so line by line", async () => {
    await running(["--bind", "lan"], async (gateway) => {
      const urls = [near.address4, second, `[${near.address6}]`].map((host) => `ws://${host}:${gateway.port}`);
      // They may reach us one by one.
      const lines = await until("line for each address", () => {
        const heard = gateway.stdout().match(/listening on .*(?=\n)/g) ?? [];
        return heard.length >= urls.length ? heard : undefined;
      });
      assert.equal(lines.toSorted(), urls.map((url, index) => said(url, index === 0 ? gateway.pid : 0)).toSorted());
      for (const url of urls) {
        assert.is(await client.reach(`${url}/health`), 200, url);
        assert.is(await client.attempt(url, { token }), "let in with []", url);
        assert.is(await client.attempt(url, {}), "DEVICE_IDENTITY_REQUIRED, closed 1008", url);
      }
    });
  });

  it("SC-041 on loopback nobody else reaches it", async () => {
    await running([], async (gateway) => {
      for (const host of [near.address4, second, `[${near.address6}]`])
        assert.is(await client.reach(`ws://${host}:${gateway.port}/health`), "nobody answers", host);
    });
  });

  it("SC-047 without auth it refuses to bind, and nothing listens", async () => {
    const home = makeHome();
    const args = ["gateway", "--bind", "lan", "--port", "18790", "--allow-unconfigured"];
    const { status, stdout, stderr } = await runCommandOn(near, args, home);
    assert.is(status, 78);
    assert.match(stderr, "Refusing to bind gateway to lan without auth");
    assert.not.match(stdout, "listening");
    assert.is(await client.reach(`ws://${near.address4}:18790/health`), "nobody answers");
    rmSync(home, { recursive: true, force: true });
  });

  async function running(args: readonly string[], look: (gateway: GatewayProcess) => Promise<void>): Promise<void> {
    const gateway = await startGatewayOn(near, { args: [...args, "--token", token, "--allow-unconfigured"] });
    try {
      await look(gateway);
    } finally {
      await gateway.stop();
    }
  }

  it.run();
}

function said(url: string, pid: number): string {
  return `listening on ${url}${pid === 0 ? "" : ` (PID ${pid})`}`;
}

/** One attacker with all the names that the gateway has for him. */
function guessing({ near, far }: Network): void {
  const it = suite("guessing");
  const attacker = actorFor(acts, far);
  const neighbour = actorFor(acts, near);

  it("threat I an address has one budget over IPv4 in every spelling, and stays locked; nobody else is", async () => {
    const auth = { mode: "token", token, rateLimit: { exemptLoopback: false } };
    const gateway = await startGatewayOn(near, { config: { gateway: { mode: "local", bind: "lan", auth } }, args: [] });
    const { port } = gateway;
    const mapped = `ws://[::ffff:${near.address4}]:${port}`;
    const over6 = `ws://[${near.address6}]:${port}`;
    try {
      const compared = (await attacker.guess(gateway.url, 6)) + (await attacker.guess(mapped, 14));
      assert.is(compared, 10);
      for (const url of [gateway.url, mapped])
        assert.is(await attacker.attempt(url, { token }), "AUTH_RATE_LIMITED, closed 1008", url);
      assert.is(await attacker.attempt(over6, { token }), "let in with []", "another address, with the right token");
      assert.is(await attacker.guess(over6, 20), 10);
      assert.is(await attacker.attempt(over6, { token }), "AUTH_RATE_LIMITED, closed 1008");
      assert.is(await attacker.reach(`${gateway.url}/health`), 200, "who is locked out still sees that it lives");
      for (const url of [`ws://127.0.0.1:${port}`, gateway.url, mapped])
        assert.match(await neighbour.attempt(url, { token }), "let in", url);
    } finally {
      await gateway.stop();
    }
  });
  it.after(async () => {
    await Promise.all([attacker.end(), neighbour.end()]);
  });

  it.run();
}

/** The life of a client: refused, approved, back with a token of its own, and cut. The same over TLS. */
function clients({ near, far }: Network): void {
  for (const tls of [false, true]) {
    const it = suite(tls ? "a client over TLS" : "a client");
    const client = actorFor(acts, far);
    let gateway: GatewayProcess | undefined;
    let at: { url: string; tlsFingerprint?: string };

    it.before(async () => {
      const auth = { mode: "token", token };
      const config = { gateway: { mode: "local", bind: "lan", auth, ...(tls ? { tls: { enabled: true } } : {}) } };
      gateway = await startGatewayOn(near, { config, args: [] });
      at = { url: gateway.url, ...(tls ? { tlsFingerprint: await pinOf(gateway) } : {}) };
    });
    it.after(async () => {
      await client.end();
      await gateway?.stop();
    });

    const owner = (...args: readonly string[]): Promise<string> =>
      expectOk(runCommandOn(near, ["devices", ...args], gateway?.home ?? ""));
    const waiting = async (): Promise<{ requestId: string; deviceId: string; remoteIp: string }> =>
      JSON.parse(await owner("list", "--json")).pending[0];

    it("is refused without auth and with a wrong token", async () => {
      assert.match(await client.connect("phone", at), /token missing|identity required/);
      assert.match(await client.connect("phone", { ...at, token: "wrong" }), "token mismatch");
      assert.is(await waiting(), undefined);
    });

    if (tls)
      it("sends nothing to a gateway with another certificate, or to one that it must not trust", async () => {
        for (const tlsFingerprint of ["0".repeat(64), undefined]) {
          const url = at.url;
          const seen = await client.connect("wary", { url, token, ...(tlsFingerprint ? { tlsFingerprint } : {}) });
          assert.match(seen, /fingerprint|certificate|self.signed|closed 1006/i);
        }
        assert.is(await waiting(), undefined);
      });

    for (const cut of ["revoke", "remove"] as const)
      it(`waits for the owner, comes back with a token of its own, and is cut by devices ${cut}`, async () => {
        assert.match(await client.connect(cut, { ...at, token }), "pairing required");
        const { requestId, deviceId, remoteIp } = await waiting();
        assert.is(remoteIp, far.address4);
        await owner("approve", requestId);
        assert.is(await client.connect(cut, { ...at, token }), "in as operator.read");
        await client.leave(cut);
        assert.is(await client.connect(cut, at), "in as operator.read", "with its own token alone");
        assert.is(await client.ask(cut), true);
        const end = client.ended(cut);
        await owner(cut, deviceId);
        assert.match(await end, "closed 4001");
        assert.match(await client.connect(cut, at), "token mismatch");
      });

    it("is the command line of another machine too", async () => {
      const home = makeHome();
      const pin = at.tlsFingerprint ? ["--tls-fingerprint", at.tlsFingerprint] : [];
      const health = (...more: readonly string[]) =>
        runCommandOn(far, ["health", "--url", at.url, ...pin, ...more], home);
      assert.match((await health()).stderr, "gateway url override requires explicit credentials");
      assert.match((await health("--token", "wrong")).stderr, "token mismatch");
      const asked = await health("--token", token);
      const { requestId, deviceId } = await waiting();
      assert.match(asked.stderr, `devices approve ${requestId}`);
      await owner("approve", requestId);
      await expectOk(health("--token", token));
      await expectOk(health());
      await owner("revoke", deviceId);
      const { status, stderr } = await health();
      assert.is.not(status, 0);
      assert.match(stderr, "device token mismatch");
      rmSync(home, { recursive: true, force: true });
    });

    if (tls)
      it("is the command line, which sends nothing without the right pin", async () => {
        const home = makeHome();
        for (const pin of [[], ["--tls-fingerprint", "0".repeat(64)]]) {
          const args = ["health", "--url", at.url, "--token", token, "--timeout", "5000", ...pin];
          const { status, stderr } = await runCommandOn(far, args, home);
          assert.is(status, 1);
          assert.match(stderr, /certificate|fingerprint/i);
        }
        assert.is(await waiting(), undefined);
        rmSync(home, { recursive: true, force: true });
      });

    it.run();
  }
}

/** The fingerprint that the gateway shows when it starts, for people to compare and pin. */
function pinOf(gateway: GatewayProcess): Promise<string> {
  return until("fingerprint", () => /TLS certificate: sha256 ([0-9a-f:]{95})/i.exec(gateway.stdout())?.[1]);
}

if (isActor) await act(acts);
else await prove();
