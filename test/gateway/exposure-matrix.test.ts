import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { authModes, bindModes, gatewaySection, tailscaleModes } from "../../src/config/sections/gateway.ts";
import { decideExposure, type AuthMode, type BindMode, type TailscaleMode } from "../../src/gateway/exposure.ts";
import type { NetInterface } from "../../src/host/host.ts";

// The guardrails (cli.md 4): every bind x auth x tailscale x proxy, a test each. What is expected is read off the tables
// below from top to bottom, which say it as a person would and know nothing of how it is decided.
const proxies = {
  "no proxy": {},
  "a proxy elsewhere": { trustedProxies: ["10.0.0.1"], trustedProxy: { userHeader: "x-user" } },
  "a proxy elsewhere without a user header": { trustedProxies: ["10.0.0.1"], trustedProxy: {} },
  "a proxy on this machine": {
    trustedProxies: ["127.0.0.1"],
    trustedProxy: { userHeader: "x-user", allowLoopback: true },
  },
  "a proxy on this machine that is not allowed": {
    trustedProxies: ["127.0.0.1", "::1"],
    trustedProxy: { userHeader: "x-user" },
  },
} as const;

interface Cell {
  readonly bind: BindMode;
  readonly auth: AuthMode;
  readonly tailscale: TailscaleMode;
  readonly proxy: keyof typeof proxies;
}

type Row = { readonly [K in keyof Cell]?: readonly Cell[K][] };

const refused: readonly (Row & { readonly says: string })[] = [
  {
    auth: ["trusted-proxy"],
    proxy: ["no proxy", "a proxy elsewhere without a user header"],
    says: "Gateway auth is set to trusted-proxy, but no proxy is trusted.",
  },
  {
    auth: ["trusted-proxy"],
    bind: ["loopback"],
    proxy: ["a proxy elsewhere", "a proxy on this machine that is not allowed"],
    says: "Gateway auth is set to trusted-proxy, but no trusted proxy can reach it on loopback.",
  },
  { auth: ["none"], bind: ["lan"], says: "Refusing to bind gateway to lan without auth." },
  { auth: ["none"], bind: ["tailnet"], says: "Refusing to bind gateway to tailnet without auth." },
  { auth: ["none"], bind: ["custom"], says: "Refusing to bind gateway to custom without auth." },
  {
    tailscale: ["serve", "funnel"],
    bind: ["lan", "tailnet", "custom"],
    says: "Gateway failed to start: Error: tailscale serve/funnel requires gateway bind=loopback (127.0.0.1)",
  },
  {
    tailscale: ["serve", "funnel"],
    bind: ["auto"],
    auth: ["token", "password", "trusted-proxy"],
    says: "Gateway failed to start: Error: tailscale serve/funnel requires gateway bind=loopback (127.0.0.1)",
  },
  {
    tailscale: ["funnel"],
    auth: ["none", "token", "trusted-proxy"],
    says: "Gateway failed to start: Error: tailscale funnel requires gateway auth mode=password (set gateway.auth.password or OPENCLAW_GATEWAY_PASSWORD)",
  },
];

const listens: readonly (Row & { readonly on: readonly string[] })[] = [
  { bind: ["loopback"], on: ["127.0.0.1", "::1"] },
  { bind: ["auto"], auth: ["none"], on: ["127.0.0.1", "::1"] },
  { bind: ["auto"], on: ["127.0.0.1", "::1", "192.168.1.100", "fd00::5"] },
  { bind: ["lan"], on: ["0.0.0.0", "::"] },
  { bind: ["tailnet"], on: ["100.101.102.103", "127.0.0.1"] },
  { bind: ["custom"], on: ["192.168.1.100", "127.0.0.1"] },
];

/** Where Tailscale's word for a user counts. */
const identified: readonly Row[] = [{ tailscale: ["serve"], auth: ["none", "token"] }];

const rows: Readonly<Record<BindMode, string>> = {
  loopback: "SC-040",
  lan: "SC-041",
  tailnet: "SC-042",
  auto: "SC-043",
  custom: "SC-044",
};

const cells: readonly Cell[] = bindModes.flatMap((bind) =>
  authModes.flatMap((auth) =>
    tailscaleModes.flatMap((tailscale) =>
      (Object.keys(proxies) as (keyof typeof proxies)[]).map((proxy) => ({ bind, auth, tailscale, proxy })),
    ),
  ),
);

for (const cell of cells) {
  const { bind, auth, tailscale, proxy } = cell;
  const says = refused.find((row) => applies(row, cell))?.says;
  const name = `${rows[bind]} bind ${bind}, auth ${auth}, tailscale ${tailscale}, ${proxy}`;
  if (says === undefined)
    test(`${name}: starts`, () => {
      const decided = decide(cell);
      if ("lines" in decided) throw new Error(decided.lines.join(" "));
      assert.equal(decided.addresses, listens.find((row) => applies(row, cell))?.on);
      assert.equal([decided.authMode, decided.tailscale], [auth, tailscale]);
      assert.is(
        decided.allowTailscale,
        identified.some((row) => applies(row, cell)),
      );
    });
  else
    test(`SC-048 ${name}: refused`, () => {
      const decided = decide(cell);
      assert.equal("lines" in decided && [decided.lines[0], decided.exit], [says, 78]);
    });
}

test("SC-047 no cell that starts beyond loopback is without auth", () => {
  const open = cells.filter((cell) => {
    const decided = decide(cell);
    if ("lines" in decided || cell.auth !== "none") return false;
    return !decided.addresses.every((address) => address === "127.0.0.1" || address === "::1");
  });
  assert.equal(open, []);
});

for (const [tailscale, auth, allowTailscale, counts] of [
  ["serve", "token", undefined, true],
  ["serve", "password", undefined, false],
  ["serve", "password", true, true],
  ["serve", "token", false, false],
  ["off", "token", undefined, false],
  ["off", "token", true, true],
  ["funnel", "password", true, false],
] as const)
  test(`SC-102 tailscale ${tailscale}, auth ${auth}, allowTailscale ${String(allowTailscale)}: the identity ${counts ? "counts" : "does not count"}`, () => {
    const decided = decide({ bind: "loopback", auth, tailscale, proxy: "no proxy" }, { allowTailscale });
    assert.is("lines" in decided ? undefined : decided.allowTailscale, counts);
  });

test("threat J: tailscale serve with neither auth nor identity is refused", () => {
  const cell: Cell = { bind: "loopback", auth: "none", tailscale: "serve", proxy: "no proxy" };
  const decided = decide(cell, { allowTailscale: false });
  assert.is(
    "lines" in decided && decided.lines[0],
    "Refusing to publish gateway through tailscale serve without auth.",
  );
});

function applies(row: Row, cell: Cell): boolean {
  const has = <T>(wanted: readonly T[] | undefined, value: T): boolean => wanted?.includes(value) ?? true;
  return (
    has(row.bind, cell.bind) &&
    has(row.auth, cell.auth) &&
    has(row.tailscale, cell.tailscale) &&
    has(row.proxy, cell.proxy)
  );
}

function decide({ bind, auth, tailscale, proxy }: Cell, more: { readonly allowTailscale?: boolean | undefined } = {}) {
  const secret = "0123456789abcdef01234567";
  const { trustedProxies = [], trustedProxy } = {
    trustedProxies: undefined,
    trustedProxy: undefined,
    ...proxies[proxy],
  };
  return decideExposure({
    flags: { bind, auth, tailscale },
    environment: {},
    config: v.parse(gatewaySection, {
      customBindHost: "192.168.1.100",
      trustedProxies,
      auth: { token: secret, password: secret, trustedProxy, ...more },
    }),
    interfaces,
    envPrefix: "OPENCLAW_",
  });
}

const interfaces: readonly NetInterface[] = [
  { name: "lo", address: "127.0.0.1", family: 4, internal: true },
  { name: "lo", address: "::1", family: 6, internal: true },
  { name: "eth0", address: "192.168.1.100", family: 4, internal: false },
  { name: "eth0", address: "fd00::5", family: 6, internal: false },
  { name: "tailscale0", address: "100.101.102.103", family: 4, internal: false },
];

test.run();
