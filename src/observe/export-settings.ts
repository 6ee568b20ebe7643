import type { Config } from "../config/schema.ts";
import { Failure } from "../kit/error.ts";

export interface ExportSettings {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly sampleRate: number;
  readonly flushIntervalMs: number;
  readonly propagate: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where traces go, by the configuration and, where that is silent, OpenTelemetry's own variables; undefined when they go
 * nowhere. Variables alone switch nothing on. Throws a `config` Failure, without any value that may hold a secret.
 */
export function exportSettings(
  { diagnostics }: Pick<Config, "diagnostics">,
  env: Environment,
): ExportSettings | undefined {
  const { enabled, traces, protocol, serviceName, sampleRate, flushIntervalMs, propagate } = diagnostics.otel;
  if (!diagnostics.enabled || !enabled || !traces || /^true$/i.test(env["OTEL_SDK_DISABLED"] ?? "")) return undefined;
  if (protocol === "grpc")
    throw new Failure(
      "config",
      'diagnostics.otel.protocol is "grpc", which is not spoken here: use "http/json" on port 4318',
    );
  return {
    url: endpointUrl(diagnostics.otel, env),
    headers: exportHeaders(diagnostics.otel.headers, env),
    serviceName: serviceName ?? (env["OTEL_SERVICE_NAME"] || "openclaw"),
    sampleRate,
    flushIntervalMs,
    propagate,
  };
}

/** An address of traces is taken as it is; a general one is where `/v1/traces` lies. */
function endpointUrl(otel: Config["diagnostics"]["otel"], env: Environment): URL {
  const general = otel.endpoint === undefined ? undefined : underBase(otel.endpoint);
  const found =
    otel.tracesEndpoint ??
    general ??
    (env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] || undefined) ??
    (env["OTEL_EXPORTER_OTLP_ENDPOINT"] ? underBase(env["OTEL_EXPORTER_OTLP_ENDPOINT"]) : undefined);
  if (found === undefined)
    throw new Failure(
      "config",
      "diagnostics.otel.endpoint is missing: set it to the collector, such as http://127.0.0.1:4318",
    );
  const url = URL.canParse(found) ? new URL(found) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new Failure(
      "config",
      "diagnostics.otel.endpoint is no http:// or https:// address without user and password: correct it, and put credentials in diagnostics.otel.headers",
    );
  return url;
}

function underBase(base: string): string {
  return /\/v1\/traces\/?$/.test(base) ? base : `${base.replace(/\/+$/, "")}/v1/traces`;
}

function exportHeaders(configured: Readonly<Record<string, string>>, env: Environment): Record<string, string> {
  const headers = new Headers();
  const general = listed(env["OTEL_EXPORTER_OTLP_HEADERS"]);
  const forTraces = listed(env["OTEL_EXPORTER_OTLP_TRACES_HEADERS"]);
  try {
    for (const [name, value] of [...general, ...forTraces, ...Object.entries(configured)]) headers.set(name, value);
    return Object.fromEntries(headers);
  } catch {
    // The runtime's own error quotes the value, which may be the credential.
    throw new Failure(
      "config",
      "diagnostics.otel.headers holds a name or value that HTTP does not allow: look for line breaks",
    );
  }
}

/** `name=value,name=value`, the values percent-encoded. */
function listed(text = ""): readonly (readonly [name: string, value: string])[] {
  return text.split(",").flatMap((pair) => {
    const at = pair.indexOf("=");
    return at > 0 ? [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())] as const] : [];
  });
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value; // a percent sign that encodes nothing stands for itself
  }
}
