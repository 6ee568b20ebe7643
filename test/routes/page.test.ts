import { test } from "uvu";
import * as assert from "uvu/assert";
import { createGateway, type EmbeddedGateway } from "../../src/embed.ts";
import { keptPage } from "../../src/routes/page-files.ts";
import { pageBase } from "../../src/routes/page.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const script = `export const words = ${JSON.stringify("again and again ".repeat(100))};`;
const page = new Map([
  ["index.html", bytes("<!doctype html><title>page</title>")],
  ["manifest.webmanifest", bytes("{}")],
  ["assets/main-1A2B3C4D.js", bytes(script)],
  ["assets/style-1A2B3C4D.css", bytes("body {}")],
]);

function open(controlUi?: object, files: typeof page | undefined = page): Promise<EmbeddedGateway> {
  const auth = { token: "a-token-that-nobody-can-guess-0123456789" };
  return createGateway({
    config: { gateway: { auth, ...(controlUi ? { controlUi } : {}) } },
    ...(files ? { page: files } : {}),
  });
}

async function get(gateway: EmbeddedGateway, path: string, headers: Record<string, string> = {}, method = "GET") {
  return gateway.fetch(new Request(`http://gateway.example${path}`, { method, headers }));
}

test("the page is there for everybody, says what may run in it, and is looked for anew each time", async () => {
  const gateway = await open();
  const response = await get(gateway, "/");
  assert.is(response.status, 200);
  assert.is(await response.text(), "<!doctype html><title>page</title>");
  const header = (name: string) => response.headers.get(name);
  assert.is(header("content-type"), "text/html; charset=utf-8");
  assert.is(header("cache-control"), "no-cache");
  assert.is(header("x-content-type-options"), "nosniff");
  assert.is(header("referrer-policy"), "no-referrer");
  assert.is(header("x-frame-options"), "DENY");
  const policy = header("content-security-policy") ?? "";
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ])
    assert.match(policy, part);
  assert.not.match(policy, /unsafe|\*|https?:/);
  await gateway.close();
});

test("files whose names change with their content may be kept for ever", async () => {
  const gateway = await open();
  const response = await get(gateway, "/assets/main-1A2B3C4D.js");
  assert.is(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert.is(response.headers.get("content-type"), "text/javascript; charset=utf-8");
  assert.is(await response.text(), script);
  const style = await get(gateway, "/assets/style-1A2B3C4D.css");
  assert.is(style.headers.get("content-type"), "text/css; charset=utf-8");
  const manifest = await get(gateway, "/manifest.webmanifest");
  assert.is(manifest.headers.get("content-type"), "application/manifest+json; charset=utf-8");
  assert.is(manifest.headers.get("cache-control"), "no-cache");
  await gateway.close();
});

test("sent packed to those who take it, and not at all to those who have it", async () => {
  const gateway = await open();
  const path = "/assets/main-1A2B3C4D.js";
  const packed = await get(gateway, path, { "accept-encoding": "br, gzip" });
  assert.is(packed.headers.get("content-encoding"), "gzip");
  assert.is(packed.headers.get("vary"), "accept-encoding");
  const stream = packed.body?.pipeThrough(new DecompressionStream("gzip"));
  assert.is(await new Response(stream).text(), script);
  for (const refuses of ["gzip;q=0", "gzip; q=0.0", "identity", "br"])
    assert.is(
      (await get(gateway, path, { "accept-encoding": refuses })).headers.get("content-encoding"),
      null,
      refuses,
    );
  const etag = packed.headers.get("etag") ?? "";
  const plain = (await get(gateway, path)).headers.get("etag") ?? "";
  assert.is.not(etag, plain);
  const again = await get(gateway, path, { "accept-encoding": "gzip", "if-none-match": `"other", W/${etag}` });
  assert.equal([again.status, await again.text(), again.headers.get("etag")], [304, "", etag]);
  assert.is((await get(gateway, path, { "if-none-match": plain })).status, 304);
  assert.is((await get(gateway, path, { "if-none-match": `"x"` })).status, 200);
  await gateway.close();
});

test("HEAD has the same headers and nothing more; other methods find nothing", async () => {
  const gateway = await open();
  const head = await get(gateway, "/", {}, "HEAD");
  assert.equal(
    [head.status, await head.text(), head.headers.get("content-type")],
    [200, "", "text/html; charset=utf-8"],
  );
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
    assert.is((await get(gateway, "/", {}, method)).status, 404);
  await gateway.close();
});

test("threat M only known names are answered, whatever a path looks like", async () => {
  const gateway = await open();
  const hostile = [
    "/assets",
    "/assets/",
    "/assets/%2e%2e/index.html%00",
    "/..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..\\..\\windows\\win.ini",
    "//index.html",
    "/index.html/",
    "/index.html%00",
    "/C:/index.html",
    "/file:///etc/passwd",
    "/constructor",
    "/__proto__",
    "/toString",
    `/${"a/".repeat(2000)}`,
  ];
  for (const path of hostile) assert.is((await get(gateway, path)).status, 404, path);
  await gateway.close();
});

test("below another path when that is said, with a redirect that adds the slash", async () => {
  const gateway = await open({ basePath: "/chat/ui/" });
  assert.is((await get(gateway, "/chat/ui/")).status, 200);
  assert.is((await get(gateway, "/chat/ui/assets/main-1A2B3C4D.js")).status, 200);
  const bare = await get(gateway, "/chat/ui");
  assert.equal([bare.status, bare.headers.get("location")], [308, "/chat/ui/"]);
  for (const path of ["/", "/chat/", "/chat/uix", "/assets/main-1A2B3C4D.js"])
    assert.is((await get(gateway, path)).status, 404, path);
  await gateway.close();
  assert.equal(["/", "", "//", "/a", "//a//b/"].map(pageBase), ["", "", "", "/a", "/a/b"]);
});

test("not there when it is switched off, nor in a gateway that has none; the rest is", async () => {
  for (const gateway of [await open({ enabled: false }), await open(undefined, new Map())]) {
    assert.is((await get(gateway, "/assets/main-1A2B3C4D.js")).status, 404);
    assert.is((await get(gateway, "/health")).status, 200);
    await gateway.close();
  }
  const auth = { token: "a-token-that-nobody-can-guess-0123456789" };
  const bare = await createGateway({ config: { gateway: { auth } } });
  assert.is((await get(bare, "/")).status, 404);
  await bare.close();
});

test("read once, when it is asked for first; again only after it could not be read", async () => {
  let reads = 0;
  let now = 0;
  const read = async () => {
    reads++;
    if (reads === 1) throw new Error("not built");
    return page;
  };
  const load = keptPage(read, { monotonic: () => now });
  assert.is(reads, 0);
  const fails = () =>
    load().then(
      () => assert.unreachable(),
      (error: Error) => assert.is(error.message, "not built"),
    );
  await fails();
  await fails();
  assert.is(reads, 1, "who asks again at once is told the same, and nothing is read");
  now = 5000;
  const [one, other] = await Promise.all([load(), load()]);
  assert.is(one, other);
  assert.is(reads, 2);
});

test.run();
