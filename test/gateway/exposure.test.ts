import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { gatewaySection } from "../../src/config/sections/gateway.ts";
import { DEFAULT_BIND, DEFAULT_PORT } from "../../src/gateway/defaults.ts";
import { decideExposure, type BindMode, type Exposure, type ExposureRequest } from "../../src/gateway/exposure.ts";
import type { NetInterface } from "../../src/host/host.ts";

const lo4 = net("lo", "127.0.0.1", 4, true);
const lo6 = net("lo", "::1", 6, true);
const lan1 = net("eth0", "192.168.1.100", 4, false);
const lan2 = net("eth1", "10.0.0.5", 4, false);
const linkLocal = net("eth2", "169.254.3.4", 4, false);
const lan6 = net("eth0", "2001:db8::5", 6, false);
const tailscale = net("tailscale0", "100.101.102.103", 4, false);
const everything = [lo4, lo6, lan1, lan2, linkLocal, lan6, tailscale];
const long = "0123456789abcdef01234567";

// What each bind mode gives without auth and with it; exposure-matrix.test.ts has every cell of the guardrails.
const matrix: Readonly<Record<BindMode, { open: readonly string[] | "refused"; guarded: readonly string[] }>> = {
  loopback: { open: ["127.0.0.1", "::1"], guarded: ["127.0.0.1", "::1"] },
  lan: { open: "refused", guarded: ["0.0.0.0", "::"] },
  tailnet: { open: "refused", guarded: ["100.101.102.103", "127.0.0.1"] },
  auto: { open: ["127.0.0.1", "::1"], guarded: ["127.0.0.1", "::1", "192.168.1.100", "10.0.0.5", "2001:db8::5"] },
  custom: { open: "refused", guarded: ["10.0.0.5", "127.0.0.1"] },
};
const ids = { loopback: "SC-040", lan: "SC-041", tailnet: "SC-042", auto: "SC-043", custom: "SC-044" } as const;

for (const [bind, { open, guarded }] of Object.entries(matrix) as [BindMode, (typeof matrix)[BindMode]][]) {
  const config = { customBindHost: "10.0.0.5" };

  for (const auth of [undefined, "none"] as const)
    test(`${ids[bind]} SC-046 SC-048 ${bind} with auth ${auth ?? "unset and no secret"}`, () => {
      const decided = decide({ flags: { bind, auth }, config });
      if (open === "refused")
        assert.equal(decided, {
          lines: [
            `Refusing to bind gateway to ${bind} without auth.`,
            "Set gateway.auth.token/password (or CLAWDBOT_GATEWAY_TOKEN/CLAWDBOT_GATEWAY_PASSWORD) or pass --token/--password.",
          ],
          exit: 78,
        });
      else {
        assert.equal(granted(decided).addresses, open);
        assert.is(granted(decided).authMode, "none");
      }
    });

  for (const mode of ["token", "password"] as const)
    test(`${ids[bind]} SC-046 ${bind} with a ${mode}`, () => {
      const exposure = granted(decide({ flags: { bind, [mode]: long }, config }));
      assert.equal(exposure.addresses, guarded);
      assert.is(exposure.authMode, mode);
      assert.is(exposure[mode], long);
    });
}

test("SC-018 SC-047 SC-135 the refusal names the variables of the flavour", () => {
  const decided = decide({ flags: { bind: "lan" }, envPrefix: "OPENCLAW_" });
  assert.match("lines" in decided ? (decided.lines[1] ?? "") : "", "OPENCLAW_GATEWAY_TOKEN/OPENCLAW_GATEWAY_PASSWORD");
});

test("SC-030 SC-238 SC-239 the defaults are loopback and 18789, as the configuration has them", () => {
  const section = v.parse(gatewaySection, {});
  assert.is(section.bind, DEFAULT_BIND);
  assert.is(section.port, DEFAULT_PORT);
  assert.equal(granted(decide({})).addresses, ["127.0.0.1", "::1"]);
});

test("SC-040 a machine without IPv6 listens on 127.0.0.1 alone", () => {
  assert.equal(granted(decide({ interfaces: [lo4, lan1] })).addresses, ["127.0.0.1"]);
});

test("SC-041 lan on a machine that only has loopback and link-local IPv6 listens on IPv4", () => {
  const interfaces = [lo4, lo6, lan1, net("eth0", "fe80::5", 6, false)];
  assert.equal(granted(decide({ flags: { bind: "lan", token: long }, interfaces })).addresses, ["0.0.0.0"]);
});

test("SC-041 where :: takes IPv4 as well, lan is :: alone, and no choice for custom", () => {
  const dual = { flags: { token: long }, dualStack: true } as const;
  assert.equal(granted(decide({ ...dual, config: { bind: "lan" } })).addresses, ["::"]);
  assert.equal(granted(decide({ ...dual, config: { bind: "lan" }, interfaces: [lo4, lo6, lan1] })).addresses, [
    "0.0.0.0",
  ]);
  assert.ok("lines" in decide({ ...dual, config: { bind: "custom", customBindHost: "::" } }));
});

test("SC-042 tailnet listens on Tailscale's IPv6 address as well", () => {
  const interfaces = [lo4, lan1, tailscale, net("tailscale0", "fd7a:115c:a1e0::67", 6, false)];
  const { addresses } = granted(decide({ flags: { bind: "tailnet", token: long }, interfaces }));
  assert.equal(addresses, ["100.101.102.103", "fd7a:115c:a1e0::67", "127.0.0.1"]);
});

test("SC-042 tailnet without a Tailscale address stays on loopback and says so", () => {
  const exposure = granted(decide({ flags: { bind: "tailnet", token: long }, interfaces: [lo4, lan1] }));
  assert.equal(exposure.addresses, ["127.0.0.1"]);
  assert.match(exposure.notes.join(), "no Tailscale address");
});

test("SC-042 only 100.64.0.0/10 is Tailscale's", () => {
  const interfaces = [lo4, net("a", "100.63.255.255", 4, false), net("b", "100.128.0.1", 4, false)];
  assert.equal(granted(decide({ flags: { bind: "tailnet", token: long }, interfaces })).addresses, ["127.0.0.1"]);
});

test("SC-043 auto without auth says why it stays on loopback", () => {
  assert.match(granted(decide({ flags: { bind: "auto" } })).notes.join(), "loopback only, because");
});

test("SC-044 custom without an address of this machine is refused, naming the value and the choices", () => {
  const missing = decide({ flags: { bind: "custom", token: long } });
  assert.match("lines" in missing ? missing.lines.join(" ") : "", "gateway.customBindHost is not set");
  const foreign = decide({ flags: { bind: "custom", token: long }, config: { customBindHost: "192.0.2.1" } });
  assert.match("lines" in foreign ? foreign.lines.join(" ") : "", /"192\.0\.2\.1" is not an address.*10\.0\.0\.5/);
});

for (const [customBindHost, addresses] of [
  ["0.0.0.0", ["0.0.0.0"]],
  ["::", ["::", "127.0.0.1"]],
  ["2001:DB8:0::0005", ["2001:db8::5", "127.0.0.1"]],
  ["127.0.0.1", ["127.0.0.1"]],
  ["::1", ["::1", "127.0.0.1"]],
] as const)
  test(`SC-044 custom ${customBindHost} listens on ${addresses.join(" and ")}`, () => {
    const exposure = granted(decide({ flags: { bind: "custom", token: long }, config: { customBindHost } }));
    assert.equal(exposure.addresses, addresses);
  });

test("SC-044 a link-local IPv6 address is refused, since it needs an interface", () => {
  const interfaces = [lo4, lan1, net("eth0", "fe80::5", 6, false)];
  const decided = decide({
    flags: { bind: "custom", token: long },
    config: { customBindHost: "fe80::5" },
    interfaces,
  });
  assert.match("lines" in decided ? decided.lines.join(" ") : "", /"fe80::5" is link-local.*192\.168\.1\.100/);
});

test("SC-044 an IPv6 address is none of a machine without IPv6, and :: no choice there", () => {
  const decided = decide({
    flags: { bind: "custom", token: long },
    config: { customBindHost: "::" },
    interfaces: [lo4, lan1],
  });
  assert.equal("lines" in decided && decided.lines[1], "Set it to one of: 0.0.0.0, 127.0.0.1, 192.168.1.100.");
});

test("SC-049 SC-136 SC-137 SC-138 a token comes from the flag, else the environment, else the configuration", () => {
  const config = { auth: { token: `config-${long}` } };
  const environment = { token: `environment-${long}` };
  const token = (request: Asked) => granted(decide({ ...request, config })).token;
  assert.is(token({}), `config-${long}`);
  assert.is(token({ environment }), `environment-${long}`);
  assert.is(token({ environment, flags: { token: `flag-${long}` } }), `flag-${long}`);
});

test("SC-138 the environment's password is enough for lan", () => {
  const exposure = granted(decide({ flags: { bind: "lan" }, environment: { password: long } }));
  assert.equal([exposure.authMode, exposure.password], ["password", long]);
});

test("a blank secret is none", () => {
  assert.ok("lines" in decide({ flags: { bind: "lan", token: " " }, environment: { password: "\t" } }));
});

for (const mode of ["token", "password"] as const)
  test(`SC-160 --auth ${mode} without a ${mode} is refused`, () => {
    assert.equal(decide({ flags: { auth: mode } }), {
      lines: [
        `Gateway auth is set to ${mode}, but no ${mode} is configured.`,
        `Set gateway.auth.${mode} (or CLAWDBOT_GATEWAY_${mode.toUpperCase()}), or pass --${mode}.`,
      ],
      exit: 78,
    });
  });

test("a token and a password with no mode are refused: nobody would know which one counts", () => {
  const decided = decide({ config: { auth: { token: long, password: long } } });
  assert.match("lines" in decided ? (decided.lines[0] ?? "") : "", "both a token and a password");
});

test("SC-161 SC-162 one secret on the command line says which mode is meant", () => {
  const config = { auth: { token: long, password: long } };
  assert.is(granted(decide({ flags: { token: "a" }, config })).authMode, "token");
  assert.is(granted(decide({ flags: { password: "a" }, config })).authMode, "password");
});

test("SC-160 --auth overrides the configured mode", () => {
  const config = { auth: { mode: "token", token: long, password: "b" } } as const;
  const exposure = granted(decide({ flags: { auth: "password" }, config }));
  assert.equal([exposure.authMode, exposure.token, exposure.password], ["password", undefined, "b"]);
});

test("a secret that the mode does not use is said to be unused", () => {
  const exposure = granted(decide({ flags: { token: "x" }, config: { auth: { mode: "password", password: long } } }));
  assert.match(exposure.notes.join(), "--token is not used");
});

test("trusted-proxy needs proxies and the header that names the user", () => {
  const auth = { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user" } } as const;
  assert.ok("lines" in decide({ config: { bind: "lan", auth } }));
  assert.ok(
    "lines" in decide({ config: { bind: "lan", auth: { mode: "trusted-proxy" }, trustedProxies: ["10.0.0.1"] } }),
  );
  const exposure = granted(decide({ config: { bind: "lan", auth, trustedProxies: ["10.0.0.1"] } }));
  assert.is(exposure.authMode, "trusted-proxy");
});

for (const [token, why] of [
  ["your-secure-token", "everybody tries first"],
  ["short", "is short"],
] as const)
  test(`beyond loopback the token ${token} starts with a warning that does not repeat it`, () => {
    const notes = granted(decide({ flags: { bind: "lan", token } })).notes.join();
    assert.match(notes, why);
    assert.not.match(notes, token === "short" ? "token short" : token);
    assert.equal(granted(decide({ flags: { token } })).notes, []);
  });

test("SC-008 --tailscale serve stays on loopback", () => {
  const exposure = granted(decide({ flags: { tailscale: "serve" } }));
  assert.equal([exposure.tailscale, exposure.addresses], ["serve", ["127.0.0.1", "::1"]]);
});

test("--tailscale serve with another bind is refused", () => {
  const decided = decide({ flags: { tailscale: "serve", bind: "lan", token: long } });
  assert.equal("lines" in decided && decided.lines, [
    "Gateway failed to start: Error: tailscale serve/funnel requires gateway bind=loopback (127.0.0.1)",
  ]);
});

test("--tailscale funnel needs a password", () => {
  const decided = decide({ flags: { tailscale: "funnel", token: long } });
  assert.equal("lines" in decided && decided.lines, [
    "Gateway failed to start: Error: tailscale funnel requires gateway auth mode=password (set gateway.auth.password or CLAWDBOT_GATEWAY_PASSWORD)",
  ]);
  assert.is(granted(decide({ flags: { tailscale: "funnel", password: long } })).authMode, "password");
});

test("Tailscale has no certificate to show where clients must come with one", () => {
  const config = { tls: { enabled: true, caPath: "ca.pem" } };
  const decided = decide({ flags: { tailscale: "serve", token: long }, config });
  assert.equal("lines" in decided && decided.lines, [
    "tailscale serve/funnel has no client certificate, and gateway.tls.caPath asks everybody for one.",
    "Unset gateway.tls.caPath, or set gateway.tailscale.mode to off.",
  ]);
  assert.is(granted(decide({ flags: { token: long }, config })).tailscale, "off");
});

interface Asked extends Partial<Omit<ExposureRequest, "config">> {
  readonly config?: v.InferInput<typeof gatewaySection>;
}

function decide({ config = {}, ...request }: Asked) {
  return decideExposure({
    flags: {},
    environment: {},
    interfaces: everything,
    envPrefix: "CLAWDBOT_",
    ...request,
    config: v.parse(gatewaySection, config),
  });
}

function granted(decided: ReturnType<typeof decideExposure>): Exposure {
  if ("lines" in decided) throw new Error(decided.lines.join("\n"));
  return decided;
}

function net(name: string, address: string, family: 4 | 6, internal: boolean): NetInterface {
  return { name, address, family, internal };
}

test.run();
