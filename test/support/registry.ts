import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import { join } from "node:path";

/** An npm registry of one package. */
export interface Registry {
  readonly server: Server;
  readonly url: string;
  /** Paths that were asked for, each once. */
  readonly asked: Set<string>;
}

/** Serves this package, as its manifest and its tarball are, on a free port. */
export async function openRegistry(manifest: { name: string; version: string }, tarball: Buffer): Promise<Registry> {
  const asked = new Set<string>();
  let url = "";
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.add(path);
    const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
    const { version } = manifest;
    const release = { ...manifest, dist: { tarball: `${url}/clawlet/-/clawlet.tgz`, integrity } };
    const known = { name: "clawlet", "dist-tags": { latest: version }, versions: { [version]: release }, time: {} };
    const bodies: Readonly<Record<string, string | Buffer>> = {
      "/clawlet": JSON.stringify(known),
      "/clawlet/-/clawlet.tgz": tarball,
    };
    response.statusCode = Object.hasOwn(bodies, path) ? 200 : 404;
    response.end(bodies[path]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  return { server, url, asked };
}

/** An environment in which npm, Bun and Deno know this registry alone and keep what they fetch in `home`. */
export function registryEnvironment(home: string, { url }: Registry): Readonly<Record<string, string>> {
  return {
    npm_config_registry: url,
    NPM_CONFIG_REGISTRY: url,
    npm_config_cache: join(home, ".npm"),
    npm_config_audit: "false",
    npm_config_update_notifier: "false",
    BUN_INSTALL_CACHE_DIR: join(home, ".bun"),
    TMPDIR: home,
    DENO_DIR: join(home, ".deno"),
    DENO_NO_UPDATE_CHECK: "1",
  };
}
