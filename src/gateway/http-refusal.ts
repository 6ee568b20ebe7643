/** A refusal as the official client reads it: `error.type` and `error.message` (protocol.md 9). */
export function refuse(
  status: number,
  type: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ error: { message, type } }, { status, headers: { "cache-control": "no-store", ...headers } });
}

/** For forwarding headers of somebody whose word does not count: whoever it is, it is not known who. */
export function attributionRequired(): Response {
  return refuse(
    403,
    "proxy_attribution_required",
    "forwarding headers from a peer that is not in gateway.trustedProxies, or headers that name different clients",
  );
}
