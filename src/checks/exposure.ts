import { withValue } from "../config/differences.ts";
import { beyondLoopback } from "../gateway/addresses.ts";
import { decideExposure, type Exposure } from "../gateway/exposure.ts";
import { setting } from "../host/paths.ts";
import { randomHex } from "../kit/ids.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** Who can reach the gateway, and what they must prove: the addresses, the secret, and what softens either. */
export const exposure: Check = {
  id: "exposure",
  title: "Gateway auth",
  security: true,
  async look(context) {
    const { host, flavour, program, config } = context;
    const { gateway } = config.snapshot.value;
    const decided = decideExposure({
      flags: {},
      environment: {
        token: setting({ env: config.environment }, flavour, "GATEWAY_TOKEN"),
        password: setting({ env: config.environment }, flavour, "GATEWAY_PASSWORD"),
      },
      config: gateway,
      interfaces: host.net.interfaces(),
      envPrefix: flavour.envPrefixes[0] ?? "",
    });
    if ("lines" in decided) return [refused(context, decided.lines), ...softened(context, true)];
    const open = decided.addresses.some(beyondLoopback);
    return [
      ...secretFindings(context, decided, open),
      ...publishedFindings(decided, program),
      ...proxyFindings(context, decided),
      ...(open ? inTheClear(context, decided) : []),
      ...softened(context, open || decided.tailscale !== "off"),
    ];
  },
};

/** The gateway does not start like this; which is safe, and to be told all the same. */
function refused(context: CheckContext, lines: readonly string[]): Finding {
  const { auth, bind } = context.config.snapshot.value.gateway;
  const open = bind !== "loopback" && bind !== "auto" && (auth.mode === undefined || auth.mode === "none");
  const missing = open || (auth.mode === "token" && !auth.token);
  const proxy = auth.mode === "trusted-proxy";
  const codes = [
    ["gateway.bind_no_auth", open],
    ["gateway-token-missing", missing],
    ["gateway.trusted_proxy_no_user_header", proxy && !auth.trustedProxy?.userHeader],
    ["gateway.trusted_proxy_no_proxies", proxy],
  ] as const;
  return {
    code: codes.find(([, applies]) => applies)?.[0] ?? "gateway-exposure-refused",
    level: "error",
    message: `The gateway refuses to start: ${lines.join(" ")}`,
    path: "gateway",
    ...(missing ? newToken(context) : { command: `${context.program} config get gateway` }),
  };
}

function secretFindings(context: CheckContext, decided: Exposure, open: boolean): Finding[] {
  const { authMode, token, password } = decided;
  if (authMode === "none")
    return [
      {
        code: "gateway.loopback_no_auth",
        level: context.config.snapshot.exists ? "warning" : "info",
        message:
          "The gateway asks for no secret: every program and person on this machine may use it, and whoever comes through a proxy.",
        path: "gateway.auth",
        ...newToken(context),
      },
    ];
  const secret = token ?? password;
  if (secret === undefined || secret.length >= shortest) return [];
  return [
    {
      code: token === undefined ? "gateway-password-too-short" : "gateway.token_too_short",
      level: "warning",
      message: `The gateway's ${token === undefined ? "password" : "token"} has fewer than ${shortest} characters: it can be guessed${open ? " by anybody who reaches it" : ""}.`,
      path: token === undefined ? "gateway.auth.password" : "gateway.auth.token",
      command: `${context.program} config set gateway.auth.${token === undefined ? "password" : "token"} <a long random text>`,
    },
  ];
}

/** The reference asks for as many. */
const shortest = 24;

function newToken({ wishes, program, changeConfig }: CheckContext): Pick<Finding, "command" | "fix"> {
  const command = `${program} doctor --fix --generate-gateway-token`;
  if (!wishes.generateToken) return { command };
  return {
    command,
    fix: {
      question: "Give the gateway a token of 48 random characters?",
      async apply() {
        await changeConfig((written) =>
          withValue(
            withValue(written, ["gateway", "auth", "mode"], "token"),
            ["gateway", "auth", "token"],
            randomHex(24),
          ),
        );
        return "Gave the gateway a new token (gateway.auth.token).";
      },
    },
  };
}

function publishedFindings({ tailscale }: Exposure, program: string): Finding[] {
  const path = "gateway.tailscale.mode";
  const command = `${program} config set ${path} off`;
  if (tailscale === "funnel")
    return [
      {
        code: "gateway.tailscale_funnel",
        level: "error",
        message: "Tailscale Funnel shows the gateway to the whole internet.",
        path,
        command,
      },
    ];
  if (tailscale === "serve")
    return [
      {
        code: "gateway.tailscale_serve",
        level: "info",
        message: "Tailscale Serve shows the gateway to everybody in the tailnet.",
        path,
      },
    ];
  return [];
}

function proxyFindings({ config }: CheckContext, { authMode }: Exposure): Finding[] {
  if (authMode !== "trusted-proxy") return [];
  const { auth } = config.snapshot.value.gateway;
  const path = "gateway.auth.trustedProxy";
  return [
    {
      code: "gateway.trusted_proxy_auth",
      level: "warning",
      message: "The proxy alone decides who gets in: whoever can send from its address, or past it, is anybody.",
      path: "gateway.auth.mode",
    },
    ...(auth.trustedProxy?.allowLoopback
      ? [
          {
            code: "gateway.trusted_proxy_allow_loopback",
            level: "warning" as const,
            message: "A proxy on this machine is believed, and so is every program on it.",
            path: `${path}.allowLoopback`,
          },
        ]
      : []),
  ];
}

function inTheClear({ program, config }: CheckContext, { bind, addresses }: Exposure): Finding[] {
  if (bind === "tailnet" || config.snapshot.value.gateway.tls.enabled) return [];
  return [
    {
      code: "gateway-no-tls",
      level: "warning",
      message: `On ${addresses.filter(beyondLoopback).join(", ")} everything is sent in the clear, the secret included: whoever listens on that network gets in.`,
      path: "gateway.bind",
      command: `${program} config set gateway.bind loopback`,
    },
  ];
}

/** Switches that make something easier and the gateway weaker; `open`: somebody beyond this machine may use it. */
function softened({ config, program }: CheckContext, open: boolean): Finding[] {
  const { gateway, logging, discovery } = config.snapshot.value;
  const { controlUi, nodes, auth } = gateway;
  const found = (
    applies: boolean,
    [code, path, message]: readonly [string, string, string],
    level: Finding["level"] = "warning",
  ): Finding[] => (applies ? [{ code, level, message, path, command: `${program} config unset ${path}` }] : []);
  return [
    ...found(
      controlUi.allowedOrigins.includes("*"),
      [
        "gateway.control_ui.allowed_origins_wildcard",
        "gateway.controlUi.allowedOrigins",
        'allowedOrigins has "*": any web page may speak to the gateway.',
      ],
      open ? "error" : "warning",
    ),
    ...found(controlUi.allowInsecureAuth, [
      "gateway.control_ui.insecure_auth",
      "gateway.controlUi.allowInsecureAuth",
      "The web page may connect with a token alone.",
    ]),
    ...found(
      controlUi.dangerouslyDisableDeviceAuth,
      [
        "gateway.control_ui.device_auth_disabled",
        "gateway.controlUi.dangerouslyDisableDeviceAuth",
        "The web page needs no device identity: a stolen token is enough.",
      ],
      "error",
    ),
    ...found(auth.rateLimit.exemptLoopback, [
      "gateway.auth_no_rate_limit",
      "gateway.auth.rateLimit.exemptLoopback",
      "Wrong secrets from this machine are not counted: a program on it may guess without end.",
    ]),
    ...found(nodes.pairing.autoApproveCidrs.length > 0, [
      "gateway-nodes-auto-approved",
      "gateway.nodes.pairing.autoApproveCidrs",
      "Devices from some addresses are paired without asking.",
    ]),
    ...found(logging.redactSensitive === "off", [
      "logging.redact_off",
      "logging.redactSensitive",
      "Secrets in the details of tool calls are not masked in the log.",
    ]),
    ...found(
      discovery.mdns.mode === "full",
      [
        "discovery.mdns_full_mode",
        "discovery.mdns.mode",
        "The local network is told more than is needed to find the gateway.",
      ],
      open ? "warning" : "info",
    ),
  ];
}
