import { clean } from "../cli/layout.ts";
import { tildify } from "../host/paths.ts";
import { VERSION } from "../kit/version.ts";
import { logHints } from "../service/log-hints.ts";
import type { Rpc, Seen, StatusContext } from "./gateway-status.ts";

/** Something that is not as it should be, and what to do about it. */
export interface Trouble {
  readonly code: string;
  readonly message: string;
  /** A line each; commands as a person would type them. */
  readonly fix: readonly string[];
}

/** Everything that is not as it should be, what matters most first. Pure: a judgement of what was seen. */
export function troublesOf(context: StatusContext, seen: Seen): readonly Trouble[] {
  return [
    ...safeMode(context, seen),
    ...stopped(context, seen),
    ...unanswered(context, seen),
    ...configTroubles(context, seen),
    ...differences(context, seen),
    ...unitTroubles(context, seen),
    ...strangers(seen),
  ];
}

function safeMode(context: StatusContext, { rpc, ...seen }: Seen): readonly Trouble[] {
  if (!rpc?.safeMode) return [];
  const { reason, since, failures } = rpc.safeMode;
  const facts = [
    ...(failures === undefined ? [] : [`after ${failures} failed starts`]),
    ...(since === undefined || Math.abs(since) > lastDate ? [] : [`since ${new Date(since).toISOString()}`]),
  ];
  return [
    {
      code: "safe-mode",
      message: `The gateway runs in safe mode${facts.length > 0 ? ` (${facts.join(", ")})` : ""}: ${reason}`,
      fix: [...logs(context, { rpc, ...seen }), `When it is put right: ${context.program} gateway restart`],
    },
  ];
}

/** The largest time that a Date can hold, in milliseconds. */
const lastDate = 8.64e15;

/** A service that should run and does not, or one whose port somebody else has. */
function stopped(context: StatusContext, seen: Seen): readonly Trouble[] {
  const { program } = context;
  const { service, runtime, running, rpc, port } = seen;
  const start = `Start it: ${program} gateway start`;
  if (!service.installed) {
    if (!service.state?.loaded) return [];
    return [
      {
        code: "service-unit-missing",
        message: "Service unit not found: the system knows the service, and its file is gone.",
        fix: [`Write it again: ${program} gateway install --force`],
      },
    ];
  }
  if (runtime.status === "stopped") {
    const other = running?.pid ?? (rpc?.ok ? port.listeners[0]?.pid : undefined);
    if (other !== undefined)
      return [
        {
          code: "service-bypassed",
          message: `A gateway runs (PID ${other}), and it is not the service.`,
          fix: [`End it where it was started, then: ${program} gateway start`],
        },
      ];
    if (service.state?.loaded)
      return [
        {
          code: "service-inactive",
          message: "Service is loaded but not running (likely exited immediately).",
          fix: [start, ...logs(context, seen)],
        },
      ];
    return [
      {
        code: "service-not-loaded",
        message: "Service is installed but not loaded: it does not start by itself.",
        fix: [start, `If it stays so: ${program} gateway install --force`],
      },
    ];
  }
  if (runtime.status !== "running" || rpc?.ok) return [];
  const [first] = port.listeners;
  const own = [runtime.pid, running?.pid];
  if (first && !port.listeners.some(({ pid }) => own.includes(pid)))
    return [
      {
        code: "port-taken",
        message: `Port ${port.port} is held by ${clean(first.command)} (PID ${first.pid}), not by the service (PID ${runtime.pid ?? "unknown"}).`,
        fix: [`End that program, then: ${program} gateway restart`],
      },
    ];
  if (port.status === "busy") return [];
  return [
    {
      code: "port-silent",
      message: `Gateway port ${port.port} is not listening (service appears running).`,
      fix: ["Warm-up: a gateway can take a few seconds. Try again shortly.", ...logs(context, seen)],
    },
  ];
}

/** What to look at when it runs and does not answer (SC-122), or does not run at all. */
function unanswered(context: StatusContext, seen: Seen): readonly Trouble[] {
  const { program } = context;
  const { rpc, runtime, port, service, plan } = seen;
  if (!rpc || rpc.ok) return [];
  const message = failureText(rpc);
  if (runtime.status !== "running" && port.status === "free")
    return [
      {
        code: "rpc-failed",
        message,
        fix: service.installed
          ? []
          : [
              `Nothing listens there. Start it: ${program} gateway`,
              ...(service.manager && service.unavailable === undefined
                ? [`Service not installed. Run: ${program} gateway install`]
                : []),
            ],
      },
    ];
  return [
    {
      code: "rpc-failed",
      message,
      fix: [
        `1. Is the port right? ${program} gateway status shows ${port.port}.`,
        "2. Beyond loopback (lan, tailnet) a gateway needs auth: pass --token or --password, or set gateway.auth.",
        `3. Look at the log: cat ${tildify(context.host, plan.paths.log)}`,
        `4. Diagnose: ${program} doctor`,
      ],
    },
  ];
}

function failureText({ url, error }: Rpc): string {
  return `RPC probe: failed\nRPC target: ${url}\n  ${clean(error ?? "no reason")}`;
}

function configTroubles({ host, program }: StatusContext, { here, there }: Seen): readonly Trouble[] {
  const configs = there && there.config.path !== here.config.path ? [here.config, there.config] : [here.config];
  return configs
    .filter(({ valid }) => !valid)
    .map(({ path, issue }) => ({
      code: "config-invalid",
      message: `${tildify(host, path)}: ${clean(issue ?? "not valid")}`,
      fix: [`See all: ${program} config validate`],
    }));
}

/** Where this command line and the service mean different things by "the gateway". Secrets are compared, never shown. */
function differences({ host, program }: StatusContext, { here, there }: Seen): readonly Trouble[] {
  if (!there) return [];
  const reinstall = `To use what is set here: ${program} gateway install --force`;
  const found: Trouble[] = [];
  const differs = (code: string, what: string, fix: string = reinstall): void =>
    void found.push({ code, message: what, fix: [fix] });
  if (here.config.path !== there.config.path)
    differs(
      "config-path-mismatch",
      `The service uses another configuration: ${tildify(host, there.config.path)}, and this command line ${tildify(host, here.config.path)}.`,
    );
  if (here.paths.state !== there.paths.state)
    differs(
      "state-mismatch",
      `The service uses another state folder: ${tildify(host, there.paths.state)}, and this command line ${tildify(host, here.paths.state)}.`,
    );
  // A port that nobody named here is found through what the running gateway says of itself.
  const port = here.facts.env.port ?? here.facts.settings.port;
  if (port !== undefined && port !== there.port)
    differs("gateway-port-mismatch", `The service uses another port: ${there.port}, and this command line ${port}.`);
  for (const secret of ["token", "password"] as const) {
    const [mine, its] = [here.credentials[secret], there.credentials[secret]];
    if (its === undefined || mine === its) continue;
    if (mine !== undefined)
      differs(`gateway-${secret}-mismatch`, `The service uses another ${secret} than this command line.`);
    else if (here.credentials.token === undefined && here.credentials.password === undefined)
      differs(
        `gateway-${secret}-unknown`,
        `Only the service knows its ${secret}: other commands here are refused.`,
        `Set gateway.auth.${secret} in the configuration, or pass --${secret}.`,
      );
  }
  return found;
}

function unitTroubles(context: StatusContext, seen: Seen): readonly Trouble[] {
  const { program } = context;
  const { audit, drift, rpc } = seen;
  const told = new Set(differences(context, seen).map(({ code }) => code));
  const news = drift.filter(
    ({ code, message }) =>
      !(code === "port" && told.has("gateway-port-mismatch")) &&
      !(code === "token" && (told.has("gateway-token-mismatch") || told.has("gateway-password-mismatch"))) &&
      !(/_(STATE_DIR|CONFIG_PATH) /.test(message) && (told.has("config-path-mismatch") || told.has("state-mismatch"))),
  );
  const trouble: Trouble[] = news.map(({ message }) => ({
    code: "unit-drift",
    message: `unit differs: ${clean(message)}`,
    fix: [`run ${program} gateway install --force`],
  }));
  if (audit.length > 0)
    trouble.push({
      code: "service-config",
      message: [
        "Service config looks out of date or non-standard.",
        ...audit.map(
          ({ message, detail }) =>
            `Service config issue: ${message}${detail === undefined ? "" : ` (${clean(detail)})`}`,
        ),
      ].join("\n"),
      fix: [`Recommendation: ${program} doctor --fix`],
    });
  if (rpc?.version !== undefined && rpc.version !== VERSION && seen.service.installed)
    trouble.push({
      code: "version-differs",
      message: `The gateway runs version ${rpc.version}, and this command line is ${VERSION}.`,
      fix: [`To run this version: ${program} gateway restart`],
    });
  return trouble;
}

function strangers({ service: { foreign } }: Seen): readonly Trouble[] {
  if (foreign.length === 0) return [];
  return [
    {
      code: "extra-services",
      message: "Other services here look like a gateway. One gateway a machine is enough for most.",
      fix: foreign.flatMap(({ remove }) => remove).map((each) => `Clean up: ${clean(each)}`),
    },
  ];
}

function logs({ host }: StatusContext, { service, plan }: Seen): readonly string[] {
  const { manager, names, scope } = service;
  const logFile = tildify(host, plan.paths.log);
  return manager ? logHints(manager.kind, { names, scope, logFile }) : [`Log file: ${logFile}`];
}
