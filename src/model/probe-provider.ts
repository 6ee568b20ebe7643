import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Provider } from "../providers/provider.ts";
import { providerFailureOf } from "../providers/provider-failure.ts";
import type { ProbeResult, Route } from "./accounts.ts";

interface ProbeOptions {
  readonly provider: Provider;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Asks a model for a word or two, and answers how that went. Rejects only when `signal` says that nobody waits. */
export async function probeRoute({ model, endpoint, profileId }: Route, options: ProbeOptions): Promise<ProbeResult> {
  const { provider, clock, timeoutMs, signal } = options;
  const deadline = new AbortController();
  const cancel = clock.after(timeoutMs, () => deadline.abort());
  const began = clock.monotonic();
  const result = (outcome: ProbeResult["outcome"], error?: string): ProbeResult => ({
    profileId,
    outcome,
    latencyMs: Math.round(clock.monotonic() - began),
    error,
  });
  try {
    const call = {
      endpoint,
      signal: AbortSignal.any([signal, deadline.signal]),
      fetch: options.fetch,
      now: () => clock.now(),
    };
    const request = {
      model,
      system: "",
      messages: [{ role: "user", content: [{ type: "text", text: "Say OK." }], timestamp: clock.now() }],
      tools: [],
      thinking: "off",
      maxTokens: 16,
    } as const;
    for await (const event of provider.stream(request, call)) if (event.type === "done") return result("ok");
    return result("network", "the answer ended before it was complete");
  } catch (error) {
    if (signal.aborted) throw error;
    if (deadline.signal.aborted) return result("timeout", `no answer within ${timeoutMs} ms`);
    const { message } = Failure.from(error);
    const { secret = "" } = endpoint.credential ?? {};
    const safe = secret === "" ? message : message.replaceAll(secret, "***");
    return result(providerFailureOf(error)?.kind ?? "unknown", safe.slice(0, 500));
  } finally {
    cancel();
  }
}
