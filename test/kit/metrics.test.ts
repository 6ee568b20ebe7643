import { test } from "uvu";
import * as assert from "uvu/assert";
import { exposition, expositionFor } from "../../src/kit/exposition.ts";
import { createMetrics } from "../../src/kit/metrics.ts";

test("a counter, a gauge and a histogram as Prometheus reads them", () => {
  const metrics = createMetrics();
  const calls = metrics.counter("calls_total", "Calls.", ["method"]);
  metrics.gauge("sockets", "Open\nsockets.", [], () => [[[], 2]]);
  const times = metrics.histogram("call_seconds", "Time.", { labels: ["method"], buckets: [0.5, 1] });
  calls.add(["health"]);
  calls.add(["health"], 2);
  for (const seconds of [0.25, 0.5, 0.75, 4]) times.observe(["health"], seconds);
  assert.is(
    exposition(metrics.families(), "prometheus"),
    `# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{method="health"} 3
# HELP sockets Open\\nsockets.
# TYPE sockets gauge
sockets 2
# HELP call_seconds Time.
# TYPE call_seconds histogram
call_seconds_bucket{method="health",le="0.5"} 2
call_seconds_bucket{method="health",le="1"} 3
call_seconds_bucket{method="health",le="+Inf"} 4
call_seconds_sum{method="health"} 5.5
call_seconds_count{method="health"} 4
`,
  );
});

test("OpenMetrics names a counter without _total, writes bounds with a fraction, and says where it ends", () => {
  const metrics = createMetrics();
  metrics.counter("calls_total", "Calls.").add([]);
  metrics.histogram("call_seconds", "Time.", { labels: [], buckets: [1] });
  assert.is(
    exposition(metrics.families(), "openmetrics"),
    `# HELP calls Calls.
# TYPE calls counter
calls_total 1
# HELP call_seconds Time.
# TYPE call_seconds histogram
call_seconds_bucket{le="1.0"} 0
call_seconds_bucket{le="+Inf"} 0
call_seconds_sum 0
call_seconds_count 0
# EOF
`,
  );
});

test("a metric without labels is there before it is first counted", () => {
  const metrics = createMetrics();
  metrics.counter("lockouts_total", "Lockouts.");
  assert.match(exposition(metrics.families(), "prometheus"), "\nlockouts_total 0\n");
});

test("a label value of somebody else's cannot end its line or its quotes, and is cut", () => {
  const metrics = createMetrics();
  metrics.counter("calls_total", "Calls.", ["model"]).add([`a"} 1\nfake 2\\${"x".repeat(200)}`]);
  const [, , line, ...rest] = exposition(metrics.families(), "prometheus").split("\n");
  assert.ok(line?.startsWith('calls_total{model="a\\"} 1\\nfake 2\\\\xxx'), line);
  assert.ok((line?.length ?? 0) < 150);
  assert.equal(rest, [""]);
});

test("values that go on and on are counted as other", () => {
  const metrics = createMetrics();
  const calls = metrics.counter("calls_total", "Calls.", ["model"]);
  for (let number = 0; number < 2000; number++) calls.add([`m${number}`]);
  calls.add(["m0"]);
  const samples = metrics.families()[0]?.samples ?? [];
  assert.is(samples.length, 501);
  assert.equal(samples[0], { suffix: "", labels: [["model", "m0"]], value: 2 });
  assert.equal(samples.at(-1), { suffix: "", labels: [["model", "other"]], value: 1500 });
});

test("what cannot be written as a decimal has its own names", () => {
  const metrics = createMetrics();
  metrics.gauge("odd", "Odd.", ["n"], () => [
    [["a"], Number.NaN],
    [["b"], Number.POSITIVE_INFINITY],
    [["c"], Number.NEGATIVE_INFINITY],
    [["d"], 1e-9],
  ]);
  const values = exposition(metrics.families(), "prometheus").split("\n").slice(2, 6);
  assert.equal(
    values.map((line) => line.split(" ")[1]),
    ["NaN", "+Inf", "-Inf", "1e-9"],
  );
});

test("the text is chosen by what the scraper prefers", () => {
  const prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1";
  assert.is(expositionFor(prometheus), "openmetrics");
  assert.is(expositionFor("application/openmetrics-text"), "openmetrics");
  for (const accept of ["", "*/*", "text/plain", "application/openmetrics-text;q=0, text/plain", "text/html"])
    assert.is(expositionFor(accept), "prometheus", accept);
  assert.is(expositionFor("application/openmetrics-text;q=0.2, text/plain;q=0.9"), "prometheus");
});

test.run();
