import { promises, type SrvRecord } from "node:dns";
import type { DnsAnswers, ResolveOptions } from "../../src/host/host.ts";
import { Failure } from "../../src/kit/error.ts";

/** Asks DNS servers, over the resolver that each runtime has. Deno's takes a server that fails for one that knows nothing. */
export async function resolve<T extends keyof DnsAnswers>(
  name: string,
  type: T,
  { servers, timeoutMs, signal }: ResolveOptions,
): Promise<readonly DnsAnswers[T][]> {
  if (signal?.aborted) throw new Failure("aborted", "interrupted");
  const resolver = new promises.Resolver();
  if (servers && servers.length > 0) resolver.setServers(servers);
  const { promise: ended, end } = ending(name, timeoutMs, signal);
  try {
    return await Promise.race([askers[type](resolver, name), ended]);
  } catch (error) {
    if (nothingThere(error)) return [];
    throw error instanceof Failure ? error : new Failure("unavailable", reason(name, error), { cause: error });
  } finally {
    end();
    resolver.cancel();
  }
}

type Askers = { readonly [T in keyof DnsAnswers]: (by: promises.Resolver, name: string) => Promise<DnsAnswers[T][]> };

const askers: Askers = {
  A: (by, name) => by.resolve4(name),
  AAAA: (by, name) => by.resolve6(name),
  PTR: (by, name) => by.resolvePtr(name),
  SRV: async (by, name) =>
    (await by.resolveSrv(name)).map(({ name: target, priority, weight, port }: SrvRecord) => ({
      target,
      priority,
      weight,
      port,
    })),
  TXT: async (by, name) => (await by.resolveTxt(name)).flat().map(asUtf8),
};

/** Node gives a byte a character; the others have decoded already, which cannot be taken for bytes of UTF-8. */
function asUtf8(text: string): string {
  if (!/^[\0-\xff]*[\x80-\xff][\0-\xff]*$/.test(text)) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(text, (each) => each.charCodeAt(0)));
  } catch {
    return text; // Latin-1 letters as they are
  }
}

/** Rejects when the time is up or somebody interrupts: a resolver of its own may try for long. */
function ending(name: string, timeoutMs: number, signal: AbortSignal | undefined) {
  let end = (): void => undefined;
  const promise = new Promise<never>((_, reject) => {
    const late = setTimeout(
      () => reject(new Failure("timeout", `no DNS server answered for ${name} within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const stop = (): void => reject(new Failure("aborted", "interrupted"));
    signal?.addEventListener("abort", stop, { once: true });
    end = () => {
      clearTimeout(late);
      signal?.removeEventListener("abort", stop);
    };
  });
  return { promise, end };
}

function nothingThere(error: unknown): boolean {
  return ["ENOTFOUND", "ENODATA"].includes(codeOf(error));
}

function reason(name: string, error: unknown): string {
  return `DNS has no answer for ${name}: ${codeOf(error) || String(error)}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code).replace(/^DNS_/, "") : "";
}
