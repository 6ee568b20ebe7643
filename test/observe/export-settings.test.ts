import * as v from "valibot";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { configSchema } from "../../src/config/schema.ts";
import { Failure } from "../../src/kit/error.ts";
import { exportSettings, type ExportSettings } from "../../src/observe/export-settings.ts";

const on = { enabled: true, endpoint: "http://collector.test:4318" };

function settings(diagnostics: object, env: Record<string, string> = {}): ExportSettings | undefined {
  return exportSettings(v.parse(configSchema, { diagnostics }), env);
}

function urlOf(otel: object, env?: Record<string, string>): string | undefined {
  return settings({ otel: { enabled: true, ...otel } }, env)?.url.href;
}

test("nothing is sent unless the configuration says so: variables alone do not", () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.test:4318" };
  assert.is(settings({}, env), undefined);
  assert.is(settings({ otel: { ...on, enabled: false } }, env), undefined);
  assert.is(settings({ otel: { ...on, traces: false } }), undefined);
  assert.is(settings({ enabled: false, otel: on }), undefined);
  assert.is(settings({ otel: on }, { OTEL_SDK_DISABLED: "true" }), undefined);
  assert.ok(settings({ otel: on }));
});

test("the path of traces is added to a general address, and not to one for traces", () => {
  const traces = "http://collector.test:4318/v1/traces";
  assert.is(urlOf({ endpoint: "http://collector.test:4318" }), traces);
  assert.is(urlOf({ endpoint: "http://collector.test:4318/" }), traces);
  assert.is(urlOf({ endpoint: traces }), traces);
  assert.is(urlOf({ endpoint: "https://c.test/otlp" }), "https://c.test/otlp/v1/traces");
  assert.is(urlOf({ endpoint: "http://a.test", tracesEndpoint: "http://b.test/in" }), "http://b.test/in");
  assert.is(urlOf({}, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.test:4318" }), traces);
  assert.is(urlOf({}, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c.test/in" }), "http://c.test/in");
});

test("headers come from the variables, and the configuration's own win", () => {
  const env = {
    OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=a%20b, authorization=Bearer%20old,broken",
    OTEL_SERVICE_NAME: "mine",
  };
  const found = settings({ otel: { ...on, headers: { Authorization: "Bearer new" } } }, env);
  assert.is(found?.headers["x-tenant"], "a b");
  assert.is(found?.headers["authorization"], "Bearer new");
  assert.is(found?.serviceName, "mine");
  assert.is(settings({ otel: { ...on, serviceName: "theirs" } }, env)?.serviceName, "theirs");
});

test("threat G what is wrong is said without the value, which may be a credential", () => {
  const wrong = [
    { enabled: true },
    { ...on, endpoint: "http://user:hunter2@collector.test" },
    { ...on, endpoint: "file:///hunter2" },
    { ...on, endpoint: "hunter2" },
    { ...on, headers: { authorization: "hunter2\r\nx: y" } },
    { ...on, protocol: "grpc" },
  ];
  for (const otel of wrong) {
    try {
      settings({ otel });
      assert.unreachable(JSON.stringify(otel));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      assert.is(error.code, "config");
      assert.match(error.message, "diagnostics.otel.");
      assert.not.match(error.message, "hunter2");
    }
  }
});

test.run();
