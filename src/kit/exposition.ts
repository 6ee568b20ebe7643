import type { Family, Sample } from "./metrics.ts";

/** The texts that scrapers read metrics in, by the media type that they are asked for with. */
export const expositions = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const;

export type Exposition = keyof typeof expositions;

/** The text that an `Accept` header asks for; Prometheus's own where it does not say. */
export function expositionFor(accept: string): Exposition {
  const weights = { prometheus: 0, openmetrics: 0 };
  for (const range of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const quality = Number(parameters.find((each) => each.startsWith("q="))?.slice(2) ?? 1);
    if (type === "application/openmetrics-text") weights.openmetrics = Math.max(weights.openmetrics, quality);
    if (["text/plain", "text/*", "*/*"].includes(type)) weights.prometheus = Math.max(weights.prometheus, quality);
  }
  return weights.openmetrics > 0 && weights.openmetrics >= weights.prometheus ? "openmetrics" : "prometheus";
}

/** Metrics as text: Prometheus text format 0.0.4, or OpenMetrics 1.0, which names a counter without its `_total`. */
export function exposition(families: readonly Family[], format: Exposition): string {
  const lines = families.flatMap(({ name, help, type, samples }) => {
    const family = format === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
    return [
      `# HELP ${family} ${escaped(help)}`,
      `# TYPE ${family} ${type}`,
      ...samples.map((sample) => `${name}${sample.suffix}${labelsText(sample, format)} ${numberText(sample.value)}`),
    ];
  });
  return `${[...lines, ...(format === "openmetrics" ? ["# EOF"] : [])].join("\n")}\n`;
}

function labelsText({ labels }: Sample, format: Exposition): string {
  if (labels.length === 0) return "";
  const texts = labels.map(([name, value]) => `${name}="${escaped(name === "le" ? bound(value, format) : value)}"`);
  return `{${texts.join(",")}}`;
}

/** OpenMetrics writes every bound with a fraction, so that one bucket has one name. */
function bound(text: string, format: Exposition): string {
  return format === "openmetrics" && /^\d+$/.test(text) ? `${text}.0` : text;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
