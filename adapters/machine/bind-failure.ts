import type { ServeOptions } from "../../src/host/host.ts";
import { Failure } from "../../src/kit/error.ts";

/** Why an address could not be listened on, in one shape for every runtime. */
export function bindFailure(error: unknown, { hostname, port }: ServeOptions): Failure {
  const errno = error instanceof Error && "code" in error ? String(error.code) : "";
  const where = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if (errno === "EADDRINUSE") {
    return new Failure("conflict", `address already in use ${where}`, { cause: error, details: { errno, port } });
  }
  if (errno === "EADDRNOTAVAIL") {
    const what = `failed to listen on ${where}: this machine does not have the address now; start again when it has`;
    return new Failure("unavailable", what, { cause: error, details: { errno, port } });
  }
  const why = error instanceof Error ? error.message : String(error);
  return new Failure("failed", `failed to listen on ${where}: ${why}`, { cause: error, details: { errno, port } });
}
