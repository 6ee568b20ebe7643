/** Numbers that a program keeps about itself, for a scraper to read now and then. */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  histogram(name: string, help: string, shape: HistogramShape): Histogram;
  /** A value that is looked up whenever somebody reads. */
  gauge(name: string, help: string, labels: readonly string[], read: () => Iterable<Reading>): void;
  /** Everything as it is now, in the order it was declared. */
  families(): readonly Family[];
}

/** The name of a counter ends in `_total`. */
export interface Counter {
  /** `values` are those of the labels, in their order. */
  add(values: readonly string[], amount?: number): void;
}

export interface Histogram {
  observe(values: readonly string[], amount: number): void;
}

export interface HistogramShape {
  readonly labels: readonly string[];
  /** Upper bounds, ascending, without infinity. */
  readonly buckets: readonly number[];
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** After the family's name, such as `_bucket`. */
  readonly suffix: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
}

export type Reading = readonly [values: readonly string[], value: number];

/** Combinations of label values in one family: what comes beyond them is counted as `other`, whoever thought it up. */
const maxSeries = 500;
const maxValue = 100;

export function createMetrics(): Metrics {
  const declared: (() => Family)[] = [];
  return {
    counter(name, help, labels = []) {
      const series = createSeries(labels, () => ({ value: 0 }));
      declared.push(() => {
        const samples = series.all().map(({ labels, kept }) => ({ suffix: "", labels, value: kept.value }));
        return { name, help, type: "counter", samples };
      });
      return {
        add(values, amount = 1) {
          series.of(values).value += amount;
        },
      };
    },
    histogram(name, help, { labels, buckets }) {
      const series = createSeries(labels, () => ({ counts: buckets.map(() => 0), sum: 0, count: 0 }));
      declared.push(() => {
        const samples = series.all().flatMap((each) => histogramSamples(each.labels, each.kept, buckets));
        return { name, help, type: "histogram", samples };
      });
      return {
        observe(values, amount) {
          const kept = series.of(values);
          const at = buckets.findIndex((bound) => amount <= bound);
          if (at >= 0) kept.counts[at] = (kept.counts[at] ?? 0) + 1;
          kept.sum += amount;
          kept.count++;
        },
      };
    },
    gauge(name, help, labels, read) {
      declared.push(() => {
        const samples = [...read()].map(([values, value]) => ({ suffix: "", labels: named(labels, values), value }));
        return { name, help, type: "gauge", samples };
      });
    },
    families: () => declared.map((family) => family()),
  };
}

interface Buckets {
  readonly counts: number[];
  sum: number;
  count: number;
}

function histogramSamples(labels: Sample["labels"], kept: Buckets, bounds: readonly number[]): readonly Sample[] {
  let below = 0;
  const buckets = bounds.map((bound, at) => {
    below += kept.counts[at] ?? 0;
    return { suffix: "_bucket", labels: [...labels, ["le", String(bound)] as const], value: below };
  });
  return [
    ...buckets,
    { suffix: "_bucket", labels: [...labels, ["le", "+Inf"]], value: kept.count },
    { suffix: "_sum", labels, value: kept.sum },
    { suffix: "_count", labels, value: kept.count },
  ];
}

/** What is kept for each combination of label values. A family without labels is there from the beginning. */
function createSeries<T>(labels: readonly string[], fresh: () => T) {
  const kept = new Map<string, { readonly labels: Sample["labels"]; readonly kept: T }>();
  function of(values: readonly string[]): T {
    const key = values.join("\n");
    const known = kept.get(key);
    if (known) return known.kept;
    const other = labels.map(() => "other");
    if (kept.size >= maxSeries && key !== other.join("\n")) return of(other);
    const made = { labels: named(labels, values), kept: fresh() };
    kept.set(key, made);
    return made.kept;
  }
  if (labels.length === 0) of([]);
  return { of, all: () => [...kept.values()] };
}

function named(labels: readonly string[], values: readonly string[]): Sample["labels"] {
  return labels.map((label, at) => [label, (values[at] ?? "").slice(0, maxValue)]);
}
