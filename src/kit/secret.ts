/**
 * Whether two secrets are equal, in a time that depends on neither: their SHA-256 digests are compared in
 * full. An empty secret equals nothing.
 */
export async function sameSecret(given: string | undefined, expected: string | undefined): Promise<boolean> {
  const [a, b] = await Promise.all([digest(given ?? ""), digest(expected ?? "")]);
  let difference = 0;
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0 && Boolean(given) && Boolean(expected);
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
