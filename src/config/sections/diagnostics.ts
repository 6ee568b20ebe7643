import * as v from "valibot";
import { type KeyMetadata, opaque, text, whole } from "./section.ts";

/** A switch that a wrong value turns off. */
function toggle(byDefault: boolean, help: string) {
  return v.pipe(
    v.optional(v.boolean(), byDefault),
    v.description(help),
    v.metadata({ whenWrong: false } satisfies KeyMetadata),
  );
}

/** The `diagnostics.otel` part: names and meanings are those of the reference's exporter. */
const otel = v.looseObject({
  enabled: toggle(false, "Send traces to an OpenTelemetry collector."),
  endpoint: v.pipe(
    v.optional(text),
    v.description("The collector's OTLP/HTTP address; /v1/traces is added. Else OTEL_EXPORTER_OTLP_ENDPOINT."),
  ),
  tracesEndpoint: v.pipe(v.optional(text), v.description("The address for traces, taken as it is.")),
  protocol: v.pipe(
    v.optional(v.picklist(["http/json", "http/protobuf", "grpc"]), "http/json"),
    v.description(
      "Traces are sent as http/json, which a collector takes where it takes http/protobuf; grpc is refused.",
    ),
  ),
  headers: v.pipe(
    v.optional(v.record(v.string(), v.string("a text in quotes"), "an object of headers"), {}),
    v.description("Headers of each request, such as the collector's credential."),
    v.metadata({ secret: true } satisfies KeyMetadata),
  ),
  serviceName: v.pipe(
    v.optional(text),
    v.description("service.name of the spans. Else OTEL_SERVICE_NAME, else openclaw."),
  ),
  traces: toggle(true, "Whether traces are among what is sent."),
  sampleRate: v.pipe(
    v.optional(v.pipe(v.number("a number from 0 to 1"), v.minValue(0), v.maxValue(1)), 1),
    v.description("Part of the traces that begin here which is recorded; a sender's traceparent decides over its own."),
  ),
  flushIntervalMs: v.pipe(v.optional(whole(100), 5000), v.description("Longest time that spans wait to be sent.")),
  propagate: toggle(
    false,
    "Send traceparent with requests to model providers, who can then tell which belong together.",
  ),
  metrics: opaque("Kept. Metrics are not sent: they are read at /metrics.", "restart"),
  logs: opaque("Kept. Logs are not sent.", "restart"),
});

/** The `diagnostics` section: what the gateway tells about itself to other programs. All of it is off by default. */
export const diagnosticsSection = v.pipe(
  v.looseObject({
    enabled: toggle(true, "False switches everything below off."),
    metrics: v.pipe(
      v.optional(
        v.looseObject({
          enabled: toggle(false, "Answer /metrics, to callers with the gateway's secret."),
        }),
        {},
      ),
      v.description("Metrics for Prometheus."),
    ),
    otel: v.pipe(v.optional(otel, {}), v.description("Traces for OpenTelemetry.")),
    flags: opaque("Kept. There are no diagnostic flags here.", "restart"),
  }),
  v.metadata({ reload: "restart" } satisfies KeyMetadata),
);
