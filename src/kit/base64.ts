/** RFC 4648 base64 with padding, of any number of bytes. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  // In steps, as a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}
